import subprocess
from pathlib import Path

import pytest

from local import __main__ as console
from local.stack import find_stack
from local.state import Stack, StateFolder

ROOT = Path(__file__).parents[3]


def stack_on(port: int) -> Stack:
    return Stack(f"http://127.0.0.1:{port}", "us-east-1", "hindsight", f"http://127.0.0.1:{port}/v1", {"app": "k"}, {})


def test_a_stack_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    stack_on(1).save(tmp_path / "stack.json")
    assert Stack.load(tmp_path / "stack.json") == stack_on(1)


def test_the_keys_of_a_stack_are_for_its_owner_only(tmp_path: Path) -> None:
    stack_on(1).save(tmp_path / "stack.json")
    assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0


def two_stacks(folder: Path) -> StateFolder:
    state = StateFolder(folder / ".local")
    for port in (4566, 4700):
        state.remember(stack_on(port), port)
        (state.of_port(port) / "pid").write_text("1")
    return state


def test_newest_stack_gives_way_to_the_other_when_it_is_deleted(tmp_path: Path) -> None:
    state = two_stacks(tmp_path)
    state.forget(4700)
    assert Stack.load(state.root / "stack.json") == stack_on(4566)
    assert state.ports() == [4566]


def test_stopped_stack_is_kept_and_gives_way_to_one_that_runs(tmp_path: Path) -> None:
    state = two_stacks(tmp_path)
    state.set_aside(4700)
    assert Stack.load(state.root / "stack.json") == stack_on(4566)
    assert state.stack_on(4700) == stack_on(4700)


def test_no_stack_is_the_newest_once_all_have_stopped(tmp_path: Path) -> None:
    state = two_stacks(tmp_path)
    for port in state.ports():
        (state.of_port(port) / "pid").unlink()
    state.set_aside(4566)
    state.set_aside(4700)
    assert not (state.root / "stack.json").exists()
    assert state.ports() == [4566, 4700]


def test_nothing_stays_behind_when_the_last_stack_is_deleted(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / ".local")
    state.remember(stack_on(4566), 4566)
    state.forget(4566)
    assert not state.root.exists()


@pytest.mark.parametrize(
    ("up", "port", "found"),
    [
        ({4566, 4700}, None, 4700),
        ({4566, 4700}, 4566, 4566),
        # The newest was killed, and so forgot nothing.
        ({4566}, None, 4566),
    ],
)
def test_stack_is_found_by_port_or_as_the_newest_that_is_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, up: set[int], port: int | None, found: int
) -> None:
    monkeypatch.setattr("local.stack.is_healthy", lambda url: int(url.rpartition(":")[2]) in up)
    assert find_stack(two_stacks(tmp_path), port) == stack_on(found)


@pytest.mark.parametrize(("port", "advice"), [(None, "`make up`"), (4700, "`make up PORT=4700`")])
def test_commands_without_a_stack_name_the_one_that_starts_it(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    port: int | None,
    advice: str,
) -> None:
    # The person who runs the tests may have a stack up on one of these ports.
    monkeypatch.setattr("local.stack.is_healthy", lambda _: False)
    two_stacks(tmp_path)
    asked = [] if port is None else ["--port", str(port)]
    for command in (["env"], ["tick"], ["verify", "--model", "m", "--dataset", "d"], ["redrive", "--queue", "q"]):
        assert console.main(["--state", str(tmp_path / ".local"), *command, *asked]) == 1
        assert f"start one with {advice}" in capsys.readouterr().err


def test_deletion_of_all_state_stops_the_stacks_of_every_port_first() -> None:
    recipe = subprocess.run(["make", "-n", "clean-local", "PORT=4700"], cwd=ROOT, capture_output=True, text=True).stdout  # noqa: PLW1510
    commands = [line for line in recipe.splitlines() if "hindsight down" in line or line.startswith("rm -rf .local")]
    assert [command.split()[0] for command in commands] == [".venv/bin/hindsight", "rm"]
    assert "--port" not in commands[0]


def test_setup_begins_again_where_an_earlier_one_was_stopped_before_it_had_pip(tmp_path: Path) -> None:
    broken, calls = tmp_path / "venv/bin/python", tmp_path / "calls"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\nexit 1\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" > {calls}\nexit 1\n')
    for script in (broken, python):
        script.chmod(0o755)
    command = ["make", "setup", f"VENV={tmp_path / 'venv'}", f"PYTHON={python}"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode  # noqa: PLW1510
    assert calls.read_text().split() == ["-m", "venv", "--clear", str(tmp_path / "venv")]
