"""CloudWatch alarms: their messages, and the models they concern."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hindsight.core.times import format_time
from hindsight.monitoring.results.alarm_metrics import DRIFT_DETECTED, SHORTFALL
from hindsight.monitoring.results.check import Check, CheckKind, CheckStore
from hindsight.monitoring.results.findings import finding_of
from hindsight.triggers.signals.event import AlarmSignal
from hindsight.triggers.status import SignalStatus
from hindsight.validation.timestamps import ClientTimestamps

ALARM_STATE = "ALARM"
_CHECK_BEHIND = {SHORTFALL: CheckKind.PERFORMANCE, DRIFT_DETECTED: CheckKind.DRIFT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One change of an alarm's state: of which metric, and whose, if the metric has the dimension ``Model``."""

    name: str
    state: str
    changed_at: datetime
    reason: str
    metric: str | None = None
    model: str | None = None

    @property
    def rings(self) -> bool:
        """True if the alarm went off, rather than back to normal or out of data."""
        return self.state == ALARM_STATE

    @property
    def is_prompt(self) -> bool:
        """True if the alarm only asks for an evaluation, as the stack's own do: each policy weighs its bad checks."""
        return self.model is None and self.metric in _CHECK_BEHIND

    @property
    def checks(self) -> tuple[CheckKind, ...]:
        """The kinds of check that can have set the alarm off; of a metric that is not Hindsight's any."""
        known = _CHECK_BEHIND.get(self.metric or "")
        return tuple(_CHECK_BEHIND.values()) if known is None else (known,)


def concerns(alarm: Alarm, model: str, checks: CheckStore) -> bool:
    """Match an alarm against a model whose triggers it asks to evaluate; one that went back to normal asks for none.

    An alarm on a metric of one model names it in its dimension ``Model``. One without that dimension watches all
    models at once, as the stack's own alarms on live performance and drift do: it concerns those whose newest check
    of that kind is bad, which was stored before the metric that set it off was published.
    """
    if not alarm.rings:
        return False
    if alarm.model is not None:
        return alarm.model == model
    return any(finding_of(check) for check in checks_behind(alarm, model, checks))


def checks_behind(alarm: Alarm, model: str, checks: CheckStore) -> list[Check]:
    """List a model's newest checks that can have set an alarm off."""
    found = [checks.latest(model, kind) for kind in alarm.checks]
    return [check for check in found if check is not None]


def alarm_moment(alarm: Alarm, behind: Iterable[Check], trust: ClientTimestamps) -> datetime:
    """Find the moment of an alarm.

    CloudWatch knows no time but the present. Where clients' times are trusted, in a replay of another year, the alarm
    belongs to the moment of the check that set it off: the present would end every cooldown, and start one that
    outlasts the replay.
    """
    if trust is not ClientTimestamps.TRUSTED:
        return alarm.changed_at
    return max((check.at for check in behind), default=alarm.changed_at)


def alarm_signal(alarm: Alarm, at: datetime) -> SignalStatus | None:
    """Build the signal of an alarm; None for one that only asks for an evaluation."""
    if alarm.is_prompt:
        return None
    details = {"alarm": alarm.name, "changed_at": format_time(alarm.changed_at)}
    return AlarmSignal.raised(at, alarm.reason, details)
