"""Forks in the place of the workers that the embedded AWS starts; their logs are taken as soon as they are there."""

import array
import fcntl
import subprocess
import sys
import termios
import threading
import time
import zipfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from ministack.core import lambda_runtime

from local.forked.forking import ForkedProcess, ForkServer, can_fork
from local.forked.patching import replace, require
from local.forked.unpacked import SharedZipFile, is_unpacked

# Of the code in use and what was before: each process behind them holds all dependencies.
_MOST_SERVERS = 2
_servers = OrderedDict[Path, ForkServer]()
_lock = threading.Lock()
# A worker writes its log before its answer. What is read of it is handed over within the first, and all is read long
# before the second; the embedded AWS itself waits fifty milliseconds for the log of a function that logs nothing.
_HANDED_OVER_SECONDS, _READ_SECONDS = 0.005, 0.25


class Changed:
    """A module with some of its names changed."""

    def __init__(self, module: ModuleType, **changes: Any) -> None:
        self._module = module
        vars(self).update(changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def install() -> None:
    """Have workers forked, where the system can do that. Raises EmulatorChanged."""
    require(lambda_runtime.Worker, "_drain_stderr")
    replace(lambda_runtime.Worker, "_drain_stderr_bounded", "self first_line_wait idle_confirm hard_cap", _logged)
    if can_fork():
        require(lambda_runtime, "Worker", "subprocess", "zipfile")
        lambda_runtime.subprocess = Changed(subprocess, Popen=start_worker)
        lambda_runtime.zipfile = Changed(zipfile, ZipFile=SharedZipFile)


def start_worker(command: list[str], **options: Any) -> "ForkedProcess | subprocess.Popen[Any]":
    """Fork a worker of unpacked code; start any other process as ever."""
    code = Path(options.get("cwd") or "/").resolve()
    if command[0] == sys.executable and len(command) == 2 and is_unpacked(code):
        with suppress(OSError):
            return _server(code).fork(command[1], options["cwd"], options["env"])
    return subprocess.Popen(command, **options)  # noqa: S603


def _logged(original: Any) -> Any:
    def logged(self: Any, **waits: float) -> str:
        # A separate runtime has but one stream, its log, which is read elsewhere.
        if self._proc is None or self._proc.stderr is None:
            return str(original(self, **waits))
        deadline = time.monotonic() + _READ_SECONDS
        while _unread_bytes(self._proc.stderr.fileno()) and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(_HANDED_OVER_SECONDS)
        return str(self._drain_stderr())

    return logged


def _unread_bytes(descriptor: int) -> int:
    unread = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, unread)
    return unread[0]


def _server(code: Path) -> ForkServer:
    with _lock:
        found = _servers.pop(code, None)
        if found is None or not found.is_running():
            found = ForkServer(code)
        _servers[code] = found
        while len(_servers) > _MOST_SERVERS:
            _servers.popitem(last=False)[1].close()
    return found
