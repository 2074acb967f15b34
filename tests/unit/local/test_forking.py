"""A forked worker is to the embedded AWS what a process of its own would be."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.forked.forking import ForkedProcess, ForkServer, can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system cannot report a fork's end")

ECHO = """
import json, os, random, sys
import numpy
given = json.loads(sys.stdin.readline())
print(json.dumps({
    "given": given,
    "main": __name__,
    "folder": os.getcwd(),
    "environment": dict(os.environ),
    "path": sys.path,
    "chance": [random.random(), numpy.random.rand()],
    "imported": sorted(sys.modules),
}), flush=True)
sys.stdin.readline()
"""
FAILING = """
print("said", flush=True)
raise ValueError("as it must")
"""
LIBRARY = {
    "core.py": "import numpy.random",
    "bootstrap.py": "",
    "runtime/__init__.py": "",
    "broken.py": "import no_such_module_anywhere",
    "__init__.py": "",
}
SECONDS = 60.0


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    for name, text in LIBRARY.items():
        (folder / "hindsight" / name).parent.mkdir(exist_ok=True)
        (folder / "hindsight" / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def server(code: Path) -> Iterator[ForkServer]:
    server = ForkServer(code)
    yield server
    server.close()


@pytest.fixture
def echo(server: ForkServer, tmp_path: Path) -> Iterator[ForkedProcess]:
    (tmp_path / "echo.py").write_text(ECHO)
    process = server.fork(str(tmp_path / "echo.py"), str(tmp_path), {"ONLY": "ümlaut"})
    yield process
    process.kill()


def test_worker_has_the_streams_the_folder_and_the_environment_it_is_given(
    echo: ForkedProcess, tmp_path: Path, code: Path
) -> None:
    echo.stdin.write('{"a": "ß"}\n')

    reply = json.loads(echo.stdout.readline())

    assert (reply["given"], reply["main"], reply["folder"]) == ({"a": "ß"}, "__main__", str(tmp_path))
    assert reply["environment"] == {"ONLY": "ümlaut"}
    assert reply["path"][0] == str(tmp_path)
    assert not {str(code), str(Path(__file__).parents[3])} & set(reply["path"])


def test_worker_has_the_library_already_except_for_readers_of_the_environment(echo: ForkedProcess) -> None:
    echo.stdin.write("0\n")
    imported = set(json.loads(echo.stdout.readline())["imported"])
    assert {"boto3", "hindsight.core"} <= imported
    assert not {"hindsight.bootstrap", "hindsight.runtime", "hindsight.broken"} & imported


def test_two_workers_do_not_share_their_chance(server: ForkServer, tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(ECHO)
    reply = []
    for _ in range(2):
        process = server.fork(str(tmp_path / "echo.py"), str(tmp_path), {})
        process.stdin.write("0\n")
        reply.append(json.loads(process.stdout.readline())["chance"])
        process.kill()
    assert not set(reply[0]) & set(reply[1])


def test_worker_ends_when_its_input_does(echo: ForkedProcess) -> None:
    assert echo.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        echo.wait(0.01)
    echo.stdin.write("0\n")
    echo.stdin.close()
    assert echo.wait(SECONDS) is not None
    assert echo.poll() is not None


@pytest.mark.parametrize("end", [ForkedProcess.terminate, ForkedProcess.kill])
def test_worker_is_ended_by_a_signal_and_a_second_one_does_no_harm(
    echo: ForkedProcess, end: "type[ForkedProcess.kill]"
) -> None:
    end(echo)
    assert echo.wait(SECONDS) is not None
    end(echo)
    with pytest.raises(ProcessLookupError):
        os.kill(echo.pid, 0)


def test_an_error_in_the_script_is_written_as_by_an_interpreter(server: ForkServer, tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    process = server.fork(str(tmp_path / "failing.py"), str(tmp_path), {})
    alone = subprocess.run(
        [sys.executable, str(tmp_path / "failing.py")], capture_output=True, text=True, check=False, env={}
    )
    assert process.stdout.read() == alone.stdout == "said\n"
    assert process.stderr.read().splitlines()[-1] == alone.stderr.splitlines()[-1] == "ValueError: as it must"
    assert process.wait(SECONDS) is not None


def test_workers_outlive_the_process_they_come_from_which_then_forks_no_more(code: Path, tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(ECHO)
    server = ForkServer(code)
    process = server.fork(str(tmp_path / "echo.py"), str(tmp_path), {})
    assert server.is_running()
    server.close()
    with pytest.raises(OSError):  # noqa: PT011  which one depends on who notices first
        server.fork(str(tmp_path / "echo.py"), str(tmp_path), {})
    process.stdin.write("1\n")
    assert json.loads(process.stdout.readline())["given"] == 1
    process.kill()
