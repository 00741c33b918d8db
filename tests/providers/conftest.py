from hypothesis import settings

settings.register_profile("renderbell", deadline=None)  # a busy machine is no failure; pytest-timeout names what hangs
settings.load_profile("renderbell")
