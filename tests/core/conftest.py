"""Core tests call functions: nothing in them waits, so nothing in them has a deadline."""

from hypothesis import settings

# A busy machine may stop any test for a second: a deadline an example would be a timed test.
settings.register_profile("core", deadline=None)
settings.load_profile("core")
