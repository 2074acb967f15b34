"""The watch over a model: its trial or probation is looked at, and what is decided is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import Conflict, HindsightError
from hindsight.registry.store import Registry
from hindsight.rollout.evaluation.events import Consequences
from hindsight.rollout.evaluation.rollout_evaluation import ModelWatch


class WatchingFailed(HindsightError):
    """A part of a model's watch failed; ``looks`` are of the rest, and doing it again is safe."""

    code = "watching_failed"

    def __init__(self, message: str, looks: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.looks = looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Watches one model at a time."""

    configurations: ConfigurationStore
    registry: Registry
    of_model: ModelWatch
    consequences: Consequences

    def run(self, model: str, now: datetime, has_time: Callable[[], bool] = lambda: True) -> list[dict[str, Any]]:
        """Make up for what a crash left undone, look, and draw the consequences of what was decided.

        Label records are read for as long as there is time. Return what was seen. Raises WatchingFailed once all three
        have been tried.
        """
        round_ = _Round()
        with round_.noting():
            self.consequences.draw(model)
        with round_.noting():
            round_.looks.extend(self._look(model, now, has_time))
        with round_.noting():
            self.consequences.draw(model)
        if round_.failures:
            causes = ", ".join(map(_told, round_.failures))
            raise WatchingFailed(f"could not watch {model} ({causes})", round_.looks) from round_.failures[0]
        return round_.looks

    def _look(self, model: str, now: datetime, has_time: Callable[[], bool]) -> list[dict[str, Any]]:
        pointer = self.registry.pointer(model)
        if pointer is None or (pointer.trial is None and pointer.probation is None):
            return []
        configuration = self.configurations.current(model).configuration
        # Who moved the pointer meanwhile knew more; the next look sees where to.
        with suppress(Conflict):
            return self.of_model.look(configuration, pointer, now, has_time)
        return []


@dataclass(slots=True)
class _Round:
    """A watch under way; the failure of one part does not keep the others from being done."""

    looks: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    @contextmanager
    def noting(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  it is raised at the end
            self.failures.append(error)


def _told(error: Exception) -> str:
    """Return an error as the log may have it: the words of others may quote what must not stand there."""
    kind = type(error).__name__
    return f"{kind}: {error.message}" if isinstance(error, HindsightError) else kind
