"""Fixtures that all tests share."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from bench.account.mode.settings import Mode
from bench.account.stack import PACE, account_stack
from local.client import StackClient
from local.deploy import deploy
from local.stack import SIMULATED_TIME, running_stack
from local.state import Stack

# Two workers that each train on all cores wait for each other: gradient boosting then takes six times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A machine busy with other tests makes any single example slow; that is no fault of the code.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")


STACK_FOLDERS = ("tests/stack/", "tests/account/", "tests/browser/")


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


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole deployed stack in simulated time, with IAM enforced; gone with all it wrote at the end.

    With AWS_ENDPOINT_URL set, the stack is deployed there (LocalStack, say) and stays. With ACCOUNT set, the embedded
    AWS behaves as a real account does.
    """
    if endpoint_url := os.environ.get("AWS_ENDPOINT_URL"):
        yield deploy(endpoint_url.rstrip("/"), SIMULATED_TIME)
        return
    folder = tmp_path_factory.mktemp("stack")
    try:
        if os.environ.get("ACCOUNT"):
            with account_stack(folder, Mode(pace=PACE)) as client:
                yield client.stack
        else:
            with running_stack(folder) as running:
                yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def client(stack: Stack) -> StackClient:
    return StackClient(stack)
