"""What all tests share: the same examples in every run, however busy the machine is."""

from hypothesis import settings

settings.register_profile("tests", deadline=None, derandomize=True)
settings.load_profile("tests")
