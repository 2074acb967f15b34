"""What every test shares."""

from hypothesis import settings

# A machine busy with other tests makes any single example slow; that is no fault of the code.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")
