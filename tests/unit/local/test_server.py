"""The server of the embedded AWS is found and stopped, wherever the checkout lies."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local.server import Server, is_healthy
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


def test_server_that_has_much_to_do_is_healthy_and_one_that_is_gone_is_not() -> None:
    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(2.5)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    http = HTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=http.handle_request, daemon=True).start()
    address = f"http://127.0.0.1:{http.server_port}"
    assert is_healthy(address)
    http.server_close()
    assert not is_healthy(address)
