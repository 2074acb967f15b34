"""Following a model's serving pointer: a command for each of its moves, in order, each at least once."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Deployment = Mapping[str, Any]
MAX_PAUSE_SECONDS = 300.0
_FIRST_PAUSE_SECONDS = 1.0
_PAGE = 100


class OperatorCalls(Protocol):
    """A caller of the API with an operator's key."""

    def __call__(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Read a route. Raises CallFailed."""


@dataclass(frozen=True, slots=True)
class Moves:
    """The moves of a model's pointer, as its deployments list them, newest first."""

    model: str
    call: OperatorCalls

    def since(self, sequence: int | None) -> list[Deployment]:
        """List the moves behind a sequence, oldest first; without one the newest alone. Raises CallFailed."""
        if sequence is None:
            return next(self._pages(1), [])
        found: list[Deployment] = []
        for page in self._pages(_PAGE):
            found += [made for made in page if made["sequence"] > sequence]
            if page and page[-1]["sequence"] <= sequence + 1:
                break
        return found[::-1]

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

    def read(self) -> int | None:
        """Read the sequence of that move, None before the first."""
        return int(json.loads(self.path.read_text())["sequence"]) if self.path.exists() else None

    def write(self, sequence: int) -> None:
        """Note a move, all of it or nothing: one that is cut off runs its command again."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = self.path.with_suffix(".new")
        whole.write_text(json.dumps({"sequence": sequence}))
        whole.replace(self.path)


@dataclass(frozen=True, slots=True)
class Follower:
    """The follower of a pointer.

    ``run`` makes the command for a move and says whether it succeeded; one that fails is made again after a pause, the
    moves behind it wait. ``say`` prints a line.
    """

    moves: Moves
    done: DoneFile
    run: Callable[[Deployment], bool]
    pause: Callable[[float], None]
    say: Callable[[str], None]

    def catch_up(self) -> int:
        """Run the command for every move that has come; return how many there were. Raises CallFailed."""
        found = self.moves.since(self.done.read())
        for made in found:
            self.say(f"{made['sequence']}: {made['change']} {made.get('challenger') or made['to']} ({made['reason']})")
            seconds = _FIRST_PAUSE_SECONDS
            while not self.run(made):
                self.say(f"{made['sequence']}: the command failed; again in {seconds:g} s")
                self.pause(seconds)
                seconds = min(2 * seconds, MAX_PAUSE_SECONDS)
            self.done.write(made["sequence"])
        return len(found)


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
