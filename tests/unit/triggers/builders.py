"""Short ways to name what triggers evaluate."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.config.triggers import Triggers
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.triggers.decision import Decision
from hindsight.triggers.evaluation.decide import decide
from hindsight.triggers.inputs import Cause, TriggerEvent, TriggerInputs
from hindsight.triggers.signals.event import AlarmSignal, ManualSignal
from hindsight.triggers.state import TriggerState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SCHEDULED = TriggerEvent(cause=Cause.SCHEDULE)
NEW = TriggerState(model="bike")


def policy(**settings: Any) -> Triggers:
    return Triggers(**{"cooldown": timedelta(0), "min_new_labels": 0, **settings})


def check(kind: CheckKind, verdict: Verdict, at: datetime = NOW, version: str = "v1") -> Check:
    return Check(model="bike", kind=kind, at=at, model_version=version, verdict=verdict, reason=f"{kind} {verdict}")


def drift(verdict: Verdict = Verdict.DRIFT, at: datetime = NOW, version: str = "v1") -> Check:
    return check(CheckKind.DRIFT, verdict, at, version)


def performance(verdict: Verdict = Verdict.LOW, at: datetime = NOW, version: str = "v1") -> Check:
    return check(CheckKind.PERFORMANCE, verdict, at, version)


def estimated(verdict: Verdict = Verdict.LOW, at: datetime = NOW, version: str = "v1") -> Check:
    return check(CheckKind.ESTIMATE, verdict, at, version)


def observed(
    now: datetime = NOW,
    *,
    drift: Check | None = None,
    performance: Check | None = None,
    estimated: Check | None = None,
    **known: Any,
) -> TriggerInputs:
    checks = {check.kind: check for check in (drift, performance, estimated) if check is not None}
    given = {"now": now, "event": SCHEDULED, "policy": policy(), "state": NEW, "champion": "v1", "new_labels": 1000}
    return TriggerInputs(**{**given, "checks": checks, **known})


def ran(at: datetime) -> TriggerState:
    return NEW.replace(last_run_started_at=at, cooldown_started_at=at)


def evaluate(rules: Triggers, state: TriggerState, seen: TriggerInputs) -> tuple[Decision, TriggerState]:
    return decide(replace(seen, policy=rules, state=state))


def alarm(at: datetime = NOW, event_id: str = "") -> TriggerEvent:
    signal = AlarmSignal.raised(at, "crossed", {"alarm": "live-performance"})
    return TriggerEvent(cause=Cause.ALARM, event_id=event_id, signal=signal)


def request(at: datetime = NOW, event_id: str = "", *, force: bool = False) -> TriggerEvent:
    signal = ManualSignal.raised(at, "new season", {"actor": "key:operator"})
    return TriggerEvent(cause=Cause.MANUAL, event_id=event_id, signal=signal, force=force)
