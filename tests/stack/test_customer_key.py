"""A stack whose stores are encrypted with a key of the customer's works as any other.

The embedded AWS tells of queues alone which key they have; that every store takes it, the template's tests hold.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.close import OLD, Closing
from local.client import StackClient
from local.deploy import client as aws_client
from local.server import Server, free_port
from local.stack import SIMULATED_TIME, start


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(free_port(), tmp_path / "stack")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_labels_are_made_where_a_key_of_the_customer_s_encrypts(server: Server) -> None:
    key = aws_client("kms", server.endpoint_url).create_key()["KeyMetadata"]["Arn"]
    client = StackClient(start(server, SIMULATED_TIME | {"KmsKeyArn": key}))
    outputs = client.stack.outputs
    asked = {"QueueUrl": outputs["FeedbackFilesQueueUrl"], "AttributeNames": ["KmsMasterKeyId"]}
    assert client.aws("sqs").get_queue_attributes(**asked)["Attributes"]["KmsMasterKeyId"] == key
    closing = Closing(client, seed=5)
    rows = closing.make("key", OLD, 50, 1.0)
    closing.log(rows)
    closing.send_outcomes(rows)
    closing.wait_for_labels(rows)
