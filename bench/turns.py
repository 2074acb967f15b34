"""Actors that take turns: one step at a time, chosen by a seeded die, any of which may kill."""

import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from hindsight.core.errors import HindsightError
from hindsight.registry.store import Registry

KILLED = 0.08  # of the turns
_PATIENCE_SECONDS = 60.0


class Killed(BaseException):
    """The actor is gone, as a Lambda that ran out of memory is: nothing in it may catch this."""


class Turns:
    """The turns of actors, one step of one at a time; a seeded die chooses."""

    def __init__(self, rng: random.Random, *, lethal: bool) -> None:
        self._rng = rng
        self._lethal = lethal
        self._changed = threading.Condition()
        self._waiting: dict[int, bool] = {}
        self._turn: int | None = None
        self._killed: set[int] = set()

    def run(self, actors: Sequence[Callable[[], None]]) -> list[Callable[[], None]]:
        """Run all actors to their end, step by step; return those that were killed."""
        names = {id(actor): number for number, actor in enumerate(actors)}
        threads = [threading.Thread(target=self._act, args=(names[id(actor)], actor)) for actor in actors]
        self._waiting = dict.fromkeys(range(len(actors)), False)
        for thread in threads:
            thread.start()
        while self._waiting:
            self._let_one_go()
        for thread in threads:
            thread.join()
        return [actors[number] for number in sorted(self._killed)]

    def step(self) -> None:
        """Wait for the turn of the actor that calls. Raises Killed if it does not live to see it."""
        number = int(threading.current_thread().name)
        with self._changed:
            self._waiting[number] = True
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._turn == number, _PATIENCE_SECONDS):
                raise RuntimeError("an actor's turn never came")
            self._turn = None
            self._waiting[number] = False
            if number in self._killed:
                raise Killed

    def _act(self, number: int, actor: Callable[[], None]) -> None:
        threading.current_thread().name = str(number)
        try:
            # Refusals are answers: of two that want the same, one is refused because the other was faster.
            with suppress(Killed, HindsightError):
                self.step()
                actor()
        finally:
            with self._changed:
                self._waiting.pop(number)
                self._changed.notify_all()

    def _let_one_go(self) -> None:
        with self._changed:
            ready = self._changed.wait_for(
                lambda: self._turn is None and all(self._waiting.values()), _PATIENCE_SECONDS
            )
            if not ready:
                raise RuntimeError("an actor does not come to its next step")
            if not self._waiting:
                return
            chosen = self._rng.choice(sorted(self._waiting))
            if self._lethal and self._rng.random() < KILLED:
                self._killed.add(chosen)
            self._turn = chosen
            self._changed.notify_all()


class StepwiseRegistry:
    """A registry whose every call waits for the turn of the actor that makes it."""

    def __init__(self, registry: Registry, turns: Turns) -> None:
        self._registry = registry
        self.turns = turns

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._registry, name)

        def stepwise(*arguments: Any, **named: Any) -> Any:
            self.turns.step()
            answer = call(*arguments, **named)
            if name == "move_pointer":
                self.turns.step()  # killed after the write, before it knew
            return answer

        return stepwise
