from pathlib import Path

from local.state import Stack, StateFolder


def stack_on(port: int) -> Stack:
    return Stack(f"http://127.0.0.1:{port}", "us-east-1", "hindsight", f"http://127.0.0.1:{port}/v1", {"app": "k"}, {})


def test_a_stack_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    stack_on(1).save(tmp_path / "stack.json")
    assert Stack.load(tmp_path / "stack.json") == stack_on(1)


def test_the_keys_of_a_stack_are_for_its_owner_only(tmp_path: Path) -> None:
    stack_on(1).save(tmp_path / "stack.json")
    assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0


def test_the_newest_stack_gives_way_to_the_other_when_it_stops(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / ".local")
    for port in (4566, 4700):
        state.remember(stack_on(port), port)
    state.forget(4700)
    assert Stack.load(state.root / "stack.json") == stack_on(4566)
    assert state.ports() == [4566]


def test_nothing_stays_behind_when_the_last_stack_stops(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / ".local")
    state.remember(stack_on(4566), 4566)
    state.forget(4566)
    assert not state.root.exists()
