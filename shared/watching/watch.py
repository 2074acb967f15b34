"""One round of the watch: every model with a trial or a probation is looked at, and what is decided is done."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.configuration.store import ConfigurationStore
from shared.errors import Conflict, HindsightError
from shared.registry.store import Registry
from shared.schedule import Tick
from shared.watching.consequences import Consequences
from shared.watching.model_watch import ModelWatch

ROUND = timedelta(minutes=15)


class WatchingFailed(HindsightError):
    """Some models could not be watched; the others were, as ``looks`` tell, and watching them again is safe."""

    code = "watching_failed"

    def __init__(self, message: str, looks: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.looks = looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Watches all models."""

    configurations: ConfigurationStore
    registry: Registry
    of_model: ModelWatch
    consequences: Consequences

    def run(self, tick: Tick, has_time: Callable[[], bool]) -> list[dict[str, Any]]:
        """Watch every model, or the one the event names, while there is time; return what was seen.

        Each round begins with another model, so that those a round had no time for come first some time.
        Raises WatchingFailed once all models have been tried.
        """
        round_ = _Round(self, tick.now)
        for model in [tick.model] if tick.model else in_turn(list(self.configurations.models()), tick.now):
            if not has_time():
                break
            round_.watch(model)
        if round_.failures:
            names = ", ".join(f"{model} ({_told(error)})" for model, error in round_.failures)
            raise WatchingFailed(f"could not watch {names}", round_.looks) from round_.failures[0][1]
        return round_.looks


@dataclass(slots=True)
class _Round:
    """What a round has done so far; whatever is wrong with one model is not the others' fault."""

    all: Watch
    now: datetime
    looks: list[dict[str, Any]] = field(default_factory=list)
    failures: list[tuple[str, Exception]] = field(default_factory=list)

    def watch(self, model: str) -> None:
        """Make up for what a crash left undone, look, and draw the consequences of what was decided."""
        with self._noting(model):
            self.all.consequences.draw(model)
        with self._noting(model):
            pointer = self.all.registry.pointer(model)
            if pointer is None or (pointer.trial is None and pointer.probation is None):
                return
            configuration = self.all.configurations.current(model).configuration
            # Who moved the pointer meanwhile knew more; the next look sees where to.
            with suppress(Conflict):
                self.looks.extend(self.all.of_model.look(configuration, pointer, self.now))
        with self._noting(model):
            self.all.consequences.draw(model)

    @contextmanager
    def _noting(self, model: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  it is raised at the end of the round
            self.failures.append((model, error))


def in_turn(models: Sequence[str], now: datetime) -> Sequence[str]:
    """Return models in their order, begun at another one in each round of a quarter of an hour.

    >>> from datetime import UTC, datetime
    >>> [in_turn("abc", datetime(2026, 3, 1, 0, minute, tzinfo=UTC))[0] for minute in (0, 15, 30, 45)]
    ['a', 'b', 'c', 'a']
    """
    first = int(now.timestamp() // ROUND.total_seconds()) % max(1, len(models))
    return [*models[first:], *models[:first]]


def _told(error: Exception) -> str:
    """Return an error as the log may have it: the words of others may quote what must not stand there."""
    kind = type(error).__name__
    return f"{kind}: {error.message}" if isinstance(error, HindsightError) else kind
