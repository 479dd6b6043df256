"""Property tests have no time limit per example: speed is measured in benchmarks, not here."""

from hypothesis import settings

settings.register_profile("siderion", deadline=None)
settings.load_profile("siderion")
