"""The plugin of the stack's tests records the requests that policies allow."""

from pathlib import Path
from subprocess import DEVNULL, STDOUT
from types import SimpleNamespace
from typing import Any

import pytest

from bench.permissions import RECORD_VARIABLE
from bench.permissions.plugin import pytest_configure
from local import server


class NotStarted(Exception):
    """Carries the command that would have been run."""


def not_started(command: list[str], **_: Any) -> None:
    raise NotStarted(command)


def test_with_the_plugin_a_server_is_the_one_that_notes_requests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(server, "PROGRAM", server.PROGRAM)
    monkeypatch.setattr(server, "PASSED_ON", list(server.PASSED_ON))
    monkeypatch.setattr(server, "subprocess", SimpleNamespace(Popen=not_started, DEVNULL=DEVNULL, STDOUT=STDOUT))
    pytest_configure()

    with pytest.raises(NotStarted) as error:
        server.Server(server.free_port(), tmp_path).start()

    assert error.value.args[0][-2:] == ["-m", "bench.permissions.recorder"]
    assert RECORD_VARIABLE in server.PASSED_ON
