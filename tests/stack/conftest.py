import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import running_stack
from local.state import Stack


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all tests of the stack on one worker: one embedded AWS serves them all."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.xdist_group("stack"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole deployed stack in simulated time, with IAM enforced; gone with all it wrote at the end."""
    folder = tmp_path_factory.mktemp("stack")
    try:
        with running_stack(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)
