"""What every test shares."""

import os
from binascii import crc32
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# Two workers that each train on all cores wait for each other: gradient boosting then takes six times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A machine busy with other tests makes any single example slow; that is no fault of the code.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")


STACKS = 2


class FewStacks(LoadScopeScheduling):
    """Any test on any worker, but the tests of the stack, by file, on two: an embedded AWS serves each half.

    The marks of ``--dist loadgroup`` would say the same, but pytest 9.2 does not let pytest-xdist 3.8 read them.
    """

    def _split_scope(self, nodeid: str) -> str:
        if not nodeid.startswith("tests/stack/"):
            return nodeid
        file = nodeid.partition("::")[0]
        return f"tests/stack {crc32(file.encode()) % STACKS}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FewStacks:
    return FewStacks(config, log)
