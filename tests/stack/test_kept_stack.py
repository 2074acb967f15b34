"""A local stack that is stopped, or killed, comes back at the same address, with the same keys and what it held."""

import argparse
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from hindsight.testing.builders.configuration import document
from local.client import StackClient
from local.commands import down, up
from local.server import Server, free_port
from local.state import Stack, StateFolder

MODEL = "kept"


def run_up(folder: Path, port: int) -> Stack:
    asked = argparse.Namespace(state=folder, port=port, parameter=[], simulated_time=True)
    assert up.run(asked) == 0
    return Stack.load(folder / "stack.json")


def run_down(folder: Path, port: int, *, delete: bool = False) -> None:
    assert down.run(argparse.Namespace(state=folder, port=port, delete=delete)) == 0


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    yield port
    run_down(tmp_path, port, delete=True)


def log(client: StackClient, name: str) -> None:
    item = {"prediction_id": name, "features": {}, "score": 0.5, "model_version": "elsewhere"}
    answer = client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": [item]})
    assert answer["accepted"] == [name]


def wait_for_save(server: Server, folder: Path) -> None:
    """Wait until the whole state was written, from now on."""
    since, deadline = time.time(), time.monotonic() + 120
    state = folder / str(server.port) / "state" / "dynamodb.json"
    while not state.exists() or state.stat().st_mtime < since:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_stack_comes_back_after_a_stop_and_after_a_kill_and_is_gone_once_it_is_deleted(
    tmp_path: Path, port: int
) -> None:
    stack = run_up(tmp_path, port)
    client = StackClient(stack)
    client.call("PUT", f"models/{MODEL}", key="operator", json={**document(), "model": MODEL})
    log(client, "before-the-stop")

    run_down(tmp_path, port)
    with pytest.raises(requests.ConnectionError):
        requests.get(stack.endpoint_url, timeout=5)
    assert not (tmp_path / "stack.json").exists()

    assert run_up(tmp_path, port) == stack
    log(client, "before-the-kill")
    server = Server.keeper(port, StateFolder(tmp_path).of_port(port))
    # Twice: a save that was under way when the prediction came may lack it.
    wait_for_save(server, tmp_path)
    wait_for_save(server, tmp_path)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)

    assert run_up(tmp_path, port) == stack
    log(client, "after-the-kill")
    for name in ("before-the-stop", "before-the-kill", "after-the-kill"):
        shown = client.call("GET", f"models/{MODEL}/predictions/{name}", key="operator")
        assert shown["prediction"]["prediction_id"] == name

    run_down(tmp_path, port, delete=True)
    assert not StateFolder(tmp_path).of_port(port).exists()
