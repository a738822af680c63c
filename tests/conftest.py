"""What holds for every test: how long one example takes is no part of what it proves."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
