import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.client import StackClient
from local.deploy import deploy
from local.stack import SIMULATED_TIME, running_stack
from local.state import Stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole deployed stack in simulated time, with IAM enforced; gone with all it wrote at the end.

    With AWS_ENDPOINT_URL set, the stack is deployed there (LocalStack, say) and stays.
    """
    if endpoint_url := os.environ.get("AWS_ENDPOINT_URL"):
        yield deploy(endpoint_url.rstrip("/"), SIMULATED_TIME)
        return
    folder = tmp_path_factory.mktemp("stack")
    try:
        with running_stack(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def client(stack: Stack) -> StackClient:
    return StackClient(stack)


@pytest.fixture(autouse=True)
def no_dead_letters(client: StackClient) -> Iterator[None]:
    """Whatever a test does, nothing may be given up on."""
    yield
    for name, url in client.stack.outputs.items():
        if name.endswith("DeadLetterQueueUrl"):
            found = client.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            assert (name, found["Attributes"]["ApproximateNumberOfMessages"]) == (name, "0")
