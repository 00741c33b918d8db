"""The whole product on this machine: the engine, the deployed template, simulated providers, a receiver, a live view."""
