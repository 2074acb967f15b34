"""Workers of the embedded AWS as forks of one process, which look to it as if it had started each itself."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

PROGRAM = Path(__file__).parent / "fork_server.py"


def can_fork() -> bool:
    """Check whether the system can fork a process that has imported everything, and report the fork's end."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


class ForkedProcess:
    """A forked worker, with as much of ``subprocess.Popen`` as the embedded AWS uses of one.

    Another process's child: with which status it ended is not known.
    """

    def __init__(self, pid: int, descriptor: int | None, stdin: IO[str], stdout: IO[str], stderr: IO[str]) -> None:
        self.pid, self.stdin, self.stdout, self.stderr = pid, stdin, stdout, stderr
        self.returncode: int | None = None if descriptor is not None else 0
        self._descriptor = descriptor

    def poll(self) -> int | None:
        """Read its status, None if it still runs."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended. Raises TimeoutExpired."""
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired([str(self.pid)], timeout or 0.0)
        return status

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)

    def __del__(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _signal(self, number: signal.Signals) -> None:
        if self.poll() is None and self._descriptor is not None:
            signal.pidfd_send_signal(self._descriptor, number)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and self._descriptor is not None:
            # Unlike select it takes descriptors of any number.
            waiting = select.poll()
            waiting.register(self._descriptor, select.POLLIN)
            if waiting.poll(None if timeout is None else timeout * 1000):
                self.returncode = 0
        return self.returncode


class ForkServer:
    """Forks workers for the code in one folder; the process behind it starts now and has imported all in seconds."""

    def __init__(self, code: Path) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter
                [sys.executable, str(PROGRAM), str(theirs.fileno()), str(code)],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # The tracer asks for it as it is imported.
                env={**os.environ, "LAMBDA_TASK_ROOT": str(code)},
            )

    def is_running(self) -> bool:
        """Check whether the process behind is there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process behind; the workers forked from it stay."""
        self._control.close()

    def fork(self, script: str, folder: str, environment: Mapping[str, str]) -> ForkedProcess:
        """Fork a worker that runs a script. Raises OSError if the process behind is gone."""
        request = json.dumps({"script": script, "folder": folder, "environment": dict(environment)}).encode()
        ours, theirs = [], []
        for to_worker in (True, False, False):
            reading, writing = os.pipe()
            ours.append(writing if to_worker else reading)
            theirs.append(reading if to_worker else writing)
        try:
            with self._lock:
                socket.send_fds(self._control, [request], theirs)
                answer, descriptors, _, _ = socket.recv_fds(self._control, 64, 1)
            if not answer:
                raise BrokenPipeError("the process that workers are forked from is gone")
        except OSError:
            for descriptor in ours:
                os.close(descriptor)
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        stdin = os.fdopen(ours[0], "w", 1, encoding="utf-8")
        stdout, stderr = (os.fdopen(found, encoding="utf-8") for found in ours[1:])
        return ForkedProcess(int(answer), descriptors[0] if descriptors else None, stdin, stdout, stderr)
