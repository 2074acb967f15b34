"""The server of the embedded AWS is found and stopped, wherever the checkout lies."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.server import Server
from local.state import PID_FILE


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A program whose path is longer than a terminal is wide."""
    folder = tmp_path / ("a-checkout-that-lies-deep" * 4) / "local"
    folder.mkdir(parents=True)
    program = folder / "serve.py"
    program.write_text("import time\ntime.sleep(60)\n")
    return program


@pytest.fixture
def running(deep: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, str(deep)], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_server_of_a_long_path_is_stopped(
    tmp_path: Path, deep: Path, running: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / PID_FILE).write_text(str(running.pid))
    server = Server(4566, tmp_path, program=(str(deep),))

    assert server.stop()
    assert running.poll() is not None
    assert not (tmp_path / PID_FILE).exists()


def test_number_that_went_to_another_process_is_left_alone(tmp_path: Path, running: subprocess.Popen[bytes]) -> None:
    (tmp_path / PID_FILE).write_text(str(running.pid))

    assert not Server(4566, tmp_path, program=("another.py",)).stop()
    assert running.poll() is None
