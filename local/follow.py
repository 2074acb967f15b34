"""Following a model's serving pointer: a command for each of its moves, in order, each run at least once."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from hindsight.core.errors import HindsightError

Deployment = Mapping[str, Any]
MAX_PAUSE_SECONDS = 300.0
MAX_TRIES = 3
"""A command that fails so often is given up once a newer move is there, or at the end of a single look."""
_FIRST_PAUSE_SECONDS = 1.0
_PAGE = 100


class OperatorCalls(Protocol):
    """A caller of the API with an operator's key."""

    def __call__(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Read a route. Raises CallFailed."""


@dataclass(frozen=True, slots=True)
class DoneMove:
    """The last move that is done with; a model that was made anew has other moves of the same numbers."""

    sequence: int
    at: str

    @classmethod
    def of(cls, made: Deployment) -> "DoneMove":
        """Take what distinguishes a move from all others."""
        return cls(int(made["sequence"]), str(made["at"]))


@dataclass(frozen=True, slots=True)
class Moves:
    """The moves of a model's pointer, as its deployments list them, newest first."""

    model: str
    call: OperatorCalls

    def since(self, done: DoneMove | None) -> list[Deployment]:
        """List the moves behind the one that is done, oldest first; without one the newest alone.

        So it is for a model that was erased and made anew since, whose moves count from 1 again. Raises CallFailed.
        """
        if done is None:
            return next(self._pages(1), [])
        found: list[Deployment] = []
        for page in self._pages(_PAGE):
            found += page
            if page and page[-1]["sequence"] <= done.sequence:
                break
        if any(DoneMove.of(made) == done for made in found):
            return [made for made in found if made["sequence"] > done.sequence][::-1]
        return found[:1]

    def _pages(self, size: int) -> Iterator[list[Deployment]]:
        params: dict[str, Any] = {"limit": size}
        while True:
            answer = self.call(f"models/{self.model}/deployments", params)
            yield answer["deployments"]
            if "next_token" not in answer:
                return
            params = {"limit": size, "next_token": answer["next_token"]}


@dataclass(frozen=True, slots=True)
class DoneFile:
    """The file that remembers the last move whose command succeeded."""

    path: Path

    def read(self) -> DoneMove | None:
        """Read that move, None before the first."""
        return DoneMove(**json.loads(self.path.read_text())) if self.path.exists() else None

    def write(self, done: DoneMove) -> None:
        """Note a move, all of it or nothing: one that is cut off runs its command again."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = self.path.with_suffix(".new")
        whole.write_text(json.dumps(asdict(done)))
        whole.replace(self.path)


class CommandFailed(HindsightError):
    """The command of the newest move failed as often as it is tried in a single look."""


@dataclass(frozen=True, slots=True)
class Follower:
    """The follower of a pointer.

    ``run`` makes the command for a move and says whether it succeeded. One that fails is made again after a pause, for
    as long as it is of the newest move: a server that cannot be given a version must not keep the rollback waiting.
    ``say`` prints a line. With ``once`` the newest move's command, too, is given up.
    """

    moves: Moves
    done: DoneFile
    run: Callable[[Deployment], bool]
    pause: Callable[[float], None]
    say: Callable[[str], None]
    once: bool = False

    def catch_up(self) -> int:
        """Run the command for every move that has come, in order; return how many there were.

        Raises CallFailed, and with ``once`` CommandFailed, which leaves the move to the next look.
        """
        done = self.done.read()
        found = self.moves.since(done)
        if done is not None and found and found[0]["sequence"] <= done.sequence:
            self.say(f"{self.moves.model} was made anew: followed from its newest move on")
        for made in found:
            self.say(f"{made['sequence']}: {made['change']} {made.get('challenger') or made['to']} ({made['reason']})")
            self._carry_out(made)
            self.done.write(DoneMove.of(made))
        return len(found)

    def _carry_out(self, made: Deployment) -> None:
        """Run a move's command until it succeeds, or is given up for a newer move."""
        seconds, tries = _FIRST_PAUSE_SECONDS, 1
        while not self.run(made):
            if tries >= MAX_TRIES and self.moves.since(DoneMove.of(made)):
                self.say(
                    f"{made['sequence']}: the command failed {tries} times and is given up: the pointer has moved on"
                )
                return
            if tries >= MAX_TRIES and self.once:
                raise CommandFailed(f"{made['sequence']}: the command failed {tries} times")
            self.say(f"{made['sequence']}: the command failed; again in {seconds:g} s")
            self.pause(seconds)
            seconds, tries = min(2 * seconds, MAX_PAUSE_SECONDS), tries + 1


def environment_of(model: str, made: Deployment) -> dict[str, str]:
    """Build the variables that a command finds of a move.

    >>> environment_of("churn", {"sequence": 7, "change": "promoted", "to": "v2", "from": "v1", "reason": "better"})
    ... # doctest: +NORMALIZE_WHITESPACE
    {'HINDSIGHT_MODEL': 'churn', 'HINDSIGHT_SEQUENCE': '7', 'HINDSIGHT_CHANGE': 'promoted', 'HINDSIGHT_CHAMPION': 'v2',
     'HINDSIGHT_BEFORE': 'v1', 'HINDSIGHT_CHALLENGER': '', 'HINDSIGHT_REASON': 'better'}
    """
    return {
        "HINDSIGHT_MODEL": model,
        "HINDSIGHT_SEQUENCE": str(made["sequence"]),
        "HINDSIGHT_CHANGE": made["change"],
        "HINDSIGHT_CHAMPION": made["to"],
        "HINDSIGHT_BEFORE": made.get("from") or "",
        "HINDSIGHT_CHALLENGER": made.get("challenger") or "",
        "HINDSIGHT_REASON": made["reason"],
    }


def run_command(command: str, model: str) -> Callable[[Deployment], bool]:
    """Build what runs a shell command of the user's for a move, with the move in its environment."""

    def run(made: Deployment) -> bool:
        ended = subprocess.run(  # noqa: S602  # nosec
            command, shell=True, env=os.environ | environment_of(model, made), check=False
        )
        return ended.returncode == 0

    return run
