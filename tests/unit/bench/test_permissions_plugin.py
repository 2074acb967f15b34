"""The plugin of the stack's tests records the requests that policies allow."""

import subprocess
import sys
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from types import SimpleNamespace
from typing import Any

import pytest

from bench.permissions import RECORD_VARIABLE
from bench.permissions.plugin import RECORDER, pytest_configure
from local import server

# Names the modules that a path of the API and a policy's judgement come from, instead of serving.
SERVE = """
import runpy, sys
from ministack import app
from ministack.core import iam_evaluator
app.main = lambda: print(app._handle_execute_api_request.__module__, iam_evaluator.evaluate.__module__)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


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

    assert error.value.args[0] == [sys.executable, str(RECORDER)]
    assert RECORD_VARIABLE in server.PASSED_ON


def test_server_that_notes_requests_keeps_the_rules_that_the_plain_one_keeps(tmp_path: Path) -> None:
    served = subprocess.run(
        [sys.executable, "-c", SERVE, str(RECORDER)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert served.stdout.split() == ["local.gateway_rules", "__main__"], served.stderr
