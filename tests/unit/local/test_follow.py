"""A follower of a pointer: each move's command in order, at least once, none skipped."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local.follow import MAX_TRIES, CommandFailed, Deployment, DoneFile, Follower, Moves, run_command


class Stack:
    """The deployments of one model, in pages."""

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self.calls = 0
        self.life = 1

    def __call__(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        assert path == "models/churn/deployments"
        self.calls += 1
        newest = int(params.get("next_token", self.count))
        page = [move(number, self.life) for number in range(newest, max(0, newest - params["limit"]), -1)]
        rest = newest - len(page)
        return {"deployments": page} | ({"next_token": str(rest)} if rest else {})


def move(sequence: int, life: int = 1) -> Deployment:
    change = {"sequence": sequence, "change": "promoted", "to": f"v{sequence}", "reason": "better"}
    change |= {"at": f"203{life}-01-01T00:00:{sequence:06d}Z"}
    return change | ({"from": f"v{sequence - 1}"} if sequence > 1 else {})


class Following:
    """A follower whose command fails as often as it is asked to."""

    def __init__(self, folder: Path, stack: Stack, failures: int = 0) -> None:
        self.ran: list[int] = []
        self.pauses: list[float] = []
        self.failures = failures
        self.said: list[str] = []
        self.done = DoneFile(folder / "follow/churn.json")
        self.follower = Follower(Moves("churn", stack), self.done, self.run, self.pauses.append, self.said.append)

    def run(self, made: Deployment) -> bool:
        self.ran.append(made["sequence"])
        self.failures -= 1
        return self.failures < 0


def test_first_look_runs_the_command_for_the_newest_move_alone(tmp_path: Path) -> None:
    following = Following(tmp_path, Stack(7))
    assert following.follower.catch_up() == 1
    assert following.ran == [7]
    assert following.follower.catch_up() == 0


def test_model_that_never_moved_runs_nothing(tmp_path: Path) -> None:
    assert Following(tmp_path, Stack(0)).follower.catch_up() == 0


def test_moves_that_came_meanwhile_run_in_order_over_several_pages(tmp_path: Path) -> None:
    stack = Stack(3)
    Following(tmp_path, stack).follower.catch_up()
    stack.count = 255
    following = Following(tmp_path, stack)
    assert following.follower.catch_up() == 252
    assert following.ran == list(range(4, 256))


def test_no_more_pages_are_read_than_have_news(tmp_path: Path) -> None:
    stack = Stack(900)
    Following(tmp_path, stack).follower.catch_up()
    stack.count, stack.calls = 905, 0
    Following(tmp_path, stack).follower.catch_up()
    assert stack.calls == 1


def test_command_of_the_newest_move_runs_again_until_it_succeeds(tmp_path: Path) -> None:
    stack = Stack(1)
    Following(tmp_path, stack).follower.catch_up()
    stack.count = 2
    following = Following(tmp_path, stack, failures=12)
    following.follower.catch_up()
    assert following.ran == [2] * 13
    assert (following.pauses[:3], following.pauses[-1]) == ([1, 2, 4], 300)


def test_command_that_fails_is_given_up_for_the_move_behind_it_and_says_so(tmp_path: Path) -> None:
    stack = Stack(1)
    Following(tmp_path, stack).follower.catch_up()
    stack.count = 3
    following = Following(tmp_path, stack, failures=MAX_TRIES)
    following.follower.catch_up()
    assert following.ran == [2] * MAX_TRIES + [3]
    assert f"2: the command failed {MAX_TRIES} times and is given up: the pointer has moved on" in following.said
    assert Following(tmp_path, stack).follower.catch_up() == 0


def test_rollback_that_comes_while_a_command_fails_is_run_next(tmp_path: Path) -> None:
    stack = Stack(1)
    Following(tmp_path, stack).follower.catch_up()
    stack.count = 2
    following = Following(tmp_path, stack, failures=6)

    def roll_back(seconds: float) -> None:
        following.pauses.append(seconds)
        stack.count = 3 if len(following.pauses) == 5 else stack.count

    Follower(Moves("churn", stack), following.done, following.run, roll_back, following.said.append).catch_up()
    assert following.ran == [2] * 6
    following.follower.catch_up()
    assert following.ran == [2] * 6 + [3]


def test_single_look_ends_with_a_command_that_fails_and_leaves_its_move_to_the_next(tmp_path: Path) -> None:
    stack = Stack(1)
    Following(tmp_path, stack).follower.catch_up()
    stack.count = 2
    failing = Following(tmp_path, stack, failures=100)
    once = Follower(Moves("churn", stack), failing.done, failing.run, failing.pauses.append, print, once=True)
    with pytest.raises(CommandFailed):
        once.catch_up()
    assert failing.ran == [2] * MAX_TRIES
    again = Following(tmp_path, stack)
    again.follower.catch_up()
    assert again.ran == [2]


@pytest.mark.parametrize("moves_since", [1, 7, 9])
def test_model_that_was_made_anew_is_followed_from_its_newest_move(tmp_path: Path, moves_since: int) -> None:
    stack = Stack(7)
    Following(tmp_path, stack).follower.catch_up()
    stack.life, stack.count = 2, moves_since
    following = Following(tmp_path, stack)
    following.follower.catch_up()
    assert following.ran == [moves_since]
    stack.count += 1
    following.follower.catch_up()
    assert following.ran == [moves_since, moves_since + 1]


def test_follower_that_is_cut_off_runs_the_command_of_its_move_again(tmp_path: Path) -> None:
    stack = Stack(1)
    Following(tmp_path, stack).follower.catch_up()
    stack.count = 2

    def cut_off(_seconds: float) -> None:
        raise KeyboardInterrupt

    following = Following(tmp_path, stack, failures=1)
    with pytest.raises(KeyboardInterrupt):
        Follower(Moves("churn", stack), following.done, following.run, cut_off, lambda _line: None).catch_up()
    again = Following(tmp_path, stack)
    again.follower.catch_up()
    assert (following.ran, again.ran) == ([2], [2])


def test_command_finds_the_move_in_its_environment(tmp_path: Path) -> None:
    script = "import os; print(os.environ['HINDSIGHT_CHAMPION'], os.environ['HINDSIGHT_BEFORE'])"
    command = f'"{sys.executable}" -c "{script}" > "{tmp_path}/said"'
    assert run_command(command, "churn")(move(2))
    assert (tmp_path / "said").read_text() == "v2 v1\n"
    assert not run_command("exit 3", "churn")(move(2))
