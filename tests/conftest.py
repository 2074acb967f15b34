"""Fixtures that all tests share."""

import os
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# Two workers that each train on all cores wait for each other: gradient boosting then takes six times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A machine busy with other tests makes any single example slow; that is no fault of the code.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")


STACK_FOLDERS = ("tests/stack/", "tests/account/")


class FileScheduling(LoadScopeScheduling):
    """Any file on any worker, but those of the account's stack on one: it takes long to deploy."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "tests/account" if file.startswith("tests/account/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileScheduling:
    # In the order of the collection, the long files first.
    config.option.loadscopereorder = False
    return FileScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(STACK_FOLDERS))
