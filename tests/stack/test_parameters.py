"""Promises of the template's parameters, on a stack of its own that is deployed again and again."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bench.close import OLD, ClosedLoop
from hindsight.testing.builders.configuration import document
from local.client import CallFailed, StackClient
from local.deploy import client as aws_client
from local.deploy import deploy
from local.server import Server, free_port
from local.stack import SIMULATED_TIME
from local.state import Stack
from tests.stack.waiting import eventually

AUDIENCES = {"app": "App", "reviewer": "Reviewer", "operator": "Operator"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("parameters")
    server = Server(free_port(), folder / "stack")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_labels_are_made_where_a_key_of_the_customer_s_encrypts(server: Server) -> None:
    # The embedded AWS reports the keys of queues alone; the template's tests hold that every store takes it.
    key = aws_client("kms", server.endpoint_url).create_key()["KeyMetadata"]["Arn"]
    client = StackClient(deploy(server.endpoint_url, SIMULATED_TIME | {"KmsKeyArn": key}))
    outputs = client.stack.outputs
    asked = {"QueueUrl": outputs["FeedbackFilesQueueUrl"], "AttributeNames": ["KmsMasterKeyId"]}
    assert client.aws("sqs").get_queue_attributes(**asked)["Attributes"]["KmsMasterKeyId"] == key
    closing = ClosedLoop(client, seed=5)
    rows = closing.make("key", OLD, 50, 1.0)
    closing.log(rows)
    closing.send_outcomes(rows)
    closing.wait_for_labels(rows)


def second_keys(stack: Stack) -> dict[str, str]:
    gateway = aws_client("apigateway", stack.endpoint_url)
    ids = {audience: stack.outputs[f"Second{name}KeyId"] for audience, name in AUDIENCES.items()}
    return {name: gateway.get_api_key(apiKey=one, includeValue=True)["value"] for name, one in ids.items()}


def answers(stack: Stack, keys: dict[str, str]) -> bool:
    """Check that keys are good: each opens the document, and the operator's its own routes."""
    client = StackClient(replace(stack, keys=keys))
    try:
        for audience in AUDIENCES:
            client.call("GET", "openapi.json", key=audience)
        client.call("PUT", "models/rotated", key="operator", json={**document(), "model": "rotated"})
    except CallFailed:
        return False
    return True


def test_keys_are_replaced_while_the_second_ones_go_on_being_good(server: Server) -> None:
    before = deploy(server.endpoint_url, SIMULATED_TIME)
    assert answers(before, before.keys)

    added = deploy(server.endpoint_url, {"SecondKeyGeneration": "1"})
    second = second_keys(added)
    assert added.keys == before.keys
    assert not set(second.values()) & set(before.keys.values())
    assert eventually(lambda: answers(added, before.keys) and answers(added, second))

    with ThreadPoolExecutor() as aside:
        deployment = aside.submit(deploy, server.endpoint_url, {"KeyGeneration": "2"})
        while not deployment.done():
            assert answers(added, second)
    replaced = deployment.result()
    assert not set(replaced.keys.values()) & set(before.keys.values())
    assert second_keys(replaced) == second
    assert eventually(lambda: answers(replaced, second) and answers(replaced, replaced.keys))
    assert not answers(replaced, before.keys)
