"""CloudWatch alarms: what one says, and which models it speaks of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import compact_json
from shared.capture.clocks import ClientTimestamps
from shared.errors import InvalidInput
from shared.monitoring.check import Check, CheckKind, CheckStore, Verdict
from shared.times import format_time, parse_time
from shared.triggers.signal import Signal, SignalKind

ALARM_STATE = "ALARM"
MODEL_DIMENSION = "Model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One change of an alarm's state; ``model`` is the dimension of that name, if its metric has one."""

    name: str
    state: str
    changed_at: datetime
    reason: str
    model: str | None = None

    @property
    def rings(self) -> bool:
        """Whether the alarm went off, rather than back to normal or out of data."""
        return self.state == ALARM_STATE


def parse_alarm(message: str) -> Alarm:
    """Return the alarm an SNS message carries. Raises InvalidInput for any other message."""
    body = compact_json.loads(message)
    if not isinstance(body, dict) or not isinstance(body.get("AlarmName"), str):
        raise InvalidInput("the message is not a CloudWatch alarm")
    return Alarm(
        name=body["AlarmName"],
        state=str(body.get("NewStateValue")),
        changed_at=parse_time(body.get("StateChangeTime")),
        reason=str(body.get("NewStateReason") or ""),
        model=next(_models(body.get("Trigger")), None),
    )


def affected_models(alarm: Alarm, models: Iterable[str], checks: CheckStore) -> list[str]:
    """Return the models an alarm speaks of.

    An alarm on a metric of one model names it in its dimension ``Model``. One without that dimension watches all
    models at once, as the stack's own alarm on live performance does: it speaks of those whose newest performance
    check is low, which was stored before the metric that set it off was published.
    """
    known = list(models)
    if alarm.model is not None:
        return [alarm.model] if alarm.model in known else []
    latest = {model: checks.latest(model, CheckKind.PERFORMANCE) for model in known}
    return [model for model, check in latest.items() if check is not None and check.verdict is Verdict.LOW]


def alarm_moment(alarm: Alarm, check: Check | None, trust: ClientTimestamps) -> datetime:
    """Return the moment an alarm speaks of.

    CloudWatch knows no time but the present. Where clients' times are trusted, in a replay of another year, the alarm
    belongs to the moment of the check that set it off: the present would end every cooldown, and start one that
    outlasts the replay.
    """
    return check.at if trust is ClientTimestamps.TRUSTED and check is not None else alarm.changed_at


def alarm_signal(alarm: Alarm, at: datetime) -> Signal:
    """Return the signal an alarm is."""
    evidence = {"alarm": alarm.name, "reason": alarm.reason, "changed_at": format_time(alarm.changed_at)}
    return Signal(kind=SignalKind.ALARM, at=at, evidence=evidence)


def _models(trigger: object) -> Iterator[str]:
    """Yield the model in the dimensions of an alarm's metric, or of the metrics in its expression."""
    if not isinstance(trigger, Mapping):
        return
    yield from _dimension(trigger.get("Dimensions"))
    for query in trigger.get("Metrics") or []:
        yield from _dimension(((query.get("MetricStat") or {}).get("Metric") or {}).get("Dimensions"))


def _dimension(dimensions: Any) -> Iterator[str]:
    for dimension in dimensions or []:
        # CloudWatch writes its own messages with small letters, its API answers with capitals.
        named = {key.lower(): value for key, value in dimension.items()}
        if named.get("name") == MODEL_DIMENSION:
            yield str(named.get("value"))
