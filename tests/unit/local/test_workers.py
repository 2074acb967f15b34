"""The embedded AWS gets forks for Python code, and processes as ever for all else."""

import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ministack.core import lambda_runtime

from local.forked import workers
from local.forked.forking import ForkedProcess, can_fork
from local.forked.patching import EmulatorChanged
from local.forked.unpacked import SharedZipFile

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system cannot report a fork's end")
PIPES: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def code_in(folder: Path) -> Path:
    """Lay code out as the embedded AWS does for a worker."""
    (folder / "code").mkdir(parents=True)
    with zipfile.ZipFile(folder / "code.zip", "w") as packed:
        packed.writestr(zipfile.ZipInfo("value.py"), "VALUE = 7")
    with SharedZipFile(folder / "code.zip") as packed:
        packed.extractall(folder / "code")
    (folder / "script.py").write_text("import sys; sys.path.insert(0, '.'); import value; print(value.VALUE)")
    return folder


def test_workers_of_the_same_code_are_forked_from_one_process(tmp_path: Path) -> None:
    parents = set()
    for name in ("a", "b"):
        folder = code_in(tmp_path / name)
        (folder / "script.py").write_text("import os; print(os.getppid())")
        command = [sys.executable, str(folder / "script.py")]
        process = workers.start_worker(command, cwd=str(folder / "code"), env=dict(os.environ), **PIPES)
        assert isinstance(process, ForkedProcess)
        parents.add(process.stdout.read())
        process.wait(60)
    assert len(parents) == 1


def test_code_of_a_worker_is_found(tmp_path: Path) -> None:
    folder = code_in(tmp_path / "a")
    command = [sys.executable, str(folder / "script.py")]
    process = workers.start_worker(command, cwd=str(folder / "code"), env=dict(os.environ), **PIPES)
    assert process.stdout is not None
    assert process.stdout.read() == "7\n"
    process.wait(60)


def test_a_command_without_unpacked_code_is_started_as_ever(tmp_path: Path) -> None:
    with workers.start_worker([sys.executable, "-c", "print(1)"], cwd=str(tmp_path), **PIPES) as process:
        assert isinstance(process, subprocess.Popen)
        assert process.communicate()[0] == "1\n"


def test_the_embedded_aws_starts_its_workers_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_runtime, "subprocess", subprocess)
    monkeypatch.setattr(lambda_runtime, "zipfile", zipfile)
    bounded = lambda_runtime.Worker._drain_stderr_bounded
    monkeypatch.setattr(lambda_runtime.Worker, "_drain_stderr_bounded", bounded)
    workers.install()
    assert lambda_runtime.subprocess.Popen is workers.start_worker
    assert lambda_runtime.subprocess.PIPE is subprocess.PIPE
    assert lambda_runtime.zipfile.ZipFile is SharedZipFile
    assert lambda_runtime.Worker._drain_stderr_bounded is not bounded


@pytest.mark.parametrize("lines", [0, 3, 2000])
def test_log_of_an_invocation_is_taken_as_soon_as_it_is_there(lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    monkeypatch.setattr(workers, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    worker = lambda_runtime.Worker("name", {}, b"")
    script = f"import sys; [print('line', number, file=sys.stderr) for number in range({lines})]; print('answer')"
    worker._proc = subprocess.Popen([sys.executable, "-c", script], **PIPES)
    threading.Thread(target=worker._read_stderr, daemon=True).start()
    assert worker._proc.stdout.readline() == "answer\n"
    log = workers._logged(lambda_runtime.Worker._drain_stderr_bounded)(worker)
    worker._proc.communicate()
    assert log.splitlines() == [f"line {number}" for number in range(lines)]
    assert lines or sum(slept) < 0.04


def test_another_embedded_aws_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(lambda_runtime.Worker, "_drain_stderr_bounded")
    with pytest.raises(EmulatorChanged, match="_drain_stderr_bounded"):
        workers.install()
