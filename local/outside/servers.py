"""The outside server, as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from local.client import CallFailed
from local.commands.env import local_variables
from local.state import Stack
from local.termination import unwound_on_termination

EXAMPLES = Path(__file__).parents[2] / "examples" / "outside"
_TIMEOUT_SECONDS = 120
_STOP_SECONDS = 10


class OutsideServer:
    """The server of the example, as a client sees it."""

    def __init__(self, url: str) -> None:
        self._url, self._http = url, requests.Session()

    def decide(self, instances: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ask for decisions. Raises CallFailed."""
        answer = self._http.post(f"{self._url}/decide", json={"instances": instances}, timeout=_TIMEOUT_SECONDS)
        if answer.status_code != 200:
            raise CallFailed(f"the outside server answered {answer.status_code}: {answer.text[:500]}")
        decisions: list[dict[str, Any]] = answer.json()["decisions"]
        return decisions


@contextmanager
def running_server(stack: Stack, model: str, versions: Path) -> Iterator[OutsideServer]:
    """Run the example's server for the length of a with block."""
    environment = {**os.environ, **local_variables(stack), "MODEL": model, "VERSIONS": str(versions)}
    with unwound_on_termination():
        process = subprocess.Popen(  # noqa: S603  the example, by our own interpreter  # nosec
            [sys.executable, EXAMPLES / "server.py"], env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url:
                raise CallFailed("the outside server did not start")
            yield OutsideServer(url)
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)
