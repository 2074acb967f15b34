"""Scheduled work on models, and its fan-out: one invocation a model, each with its own time, retries and failure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hindsight.core.errors import HindsightError, Unavailable

# A thousand models must not take all of an account's concurrency at once.
MAX_STARTS_PER_SECOND = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The models an event is for: one, or a share of its work; those behind one in the order of their names; or all."""

    model: str | None = None
    after: str = ""
    share: int | None = None


@dataclass(frozen=True, slots=True)
class ScheduledEvent:
    """One scheduled event for one model, or for a share of its work."""

    now: datetime
    event_id: str
    model: str
    share: int | None = None


class Invocations(Protocol):
    """Asynchronous invocations of the function that is running."""

    def start(self, payload: Mapping[str, Any]) -> None:
        """Start an invocation; it is certain to begin. Raises Unavailable."""


class FanOutFailed(HindsightError):
    """Some models' invocations could not be started; the others were, and starting them again is safe."""

    code = "fan_out_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOutReport:
    """The number of models that got an invocation; another one continues after the model ``goes_on_after``."""

    started: int
    goes_on_after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """The starts of a function's invocations, one a model, no faster than their rate."""

    invocations: Invocations
    clock: Callable[[], float]
    pause: Callable[[float], None]
    starts_per_second: float = MAX_STARTS_PER_SECOND

    def start(
        self,
        event: Mapping[str, Any],
        models: Sequence[str],
        has_time: Callable[[], bool],
        concerns: Callable[[str], bool] = lambda _: True,
    ) -> FanOutReport:
        """Start the same event once for each model it concerns, in the order of their names.

        Out of time, the same event is started with the last model reached: that invocation carries on behind it, so
        that no model is missed and none comes twice. Each invocation gets at least one model further. A start that is
        refused is tried again behind all others, and behind the one that carries on. Raises FanOutFailed if it is
        refused then too.
        """
        started, refused, begun = 0, list[dict[str, Any]](), self.clock()
        for place, model in enumerate(models):
            if place and not has_time():
                # First, since a model that is refused again must not take those behind it along.
                self._start_all([addressed(event, after=models[place - 1]), *refused])
                return FanOutReport(started=started + len(refused), goes_on_after=models[place - 1])
            if not concerns(model):
                continue
            self._pace(begun, started + len(refused))
            payload = addressed(event, model=model)
            try:
                self.invocations.start(payload)
                started += 1
            except Unavailable:
                refused.append(payload)
        self._start_all(refused)
        return FanOutReport(started=started + len(refused))

    def _pace(self, begun: float, count: int) -> None:
        early = begun + count / self.starts_per_second - self.clock()
        if early > 0:
            self.pause(early)

    def _start_all(self, payloads: Sequence[Mapping[str, Any]]) -> None:
        failures = list[tuple[str, Unavailable]]()
        for payload in payloads:
            self.pause(1 / self.starts_per_second)
            try:
                self.invocations.start(payload)
            except Unavailable as error:
                failures.append((_named(payload["detail"]), error))
        if failures:
            names = ", ".join(name for name, _ in failures)
            raise FanOutFailed(f"could not start {names}: {failures[0][1].message}") from failures[0][1]


def addressed(event: Mapping[str, Any], **scope: Any) -> dict[str, Any]:
    """Build the event for some models alone, of the same moment and the same id; ``scope`` has the fields of Scope."""
    return {**event, "detail": scope}


def _named(detail: Mapping[str, Any]) -> str:
    return detail["model"] if "model" in detail else f"those after {detail['after']}"
