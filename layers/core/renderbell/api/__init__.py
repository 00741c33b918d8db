"""The HTTP API: the same over all providers, described by an OpenAPI document that it serves itself."""
