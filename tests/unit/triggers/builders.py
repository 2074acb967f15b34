"""Short ways to say what triggers see."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.config.triggers import Triggers
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.triggers.decide import Occasion
from hindsight.triggers.decision import Cause
from hindsight.triggers.demand import Observed
from hindsight.triggers.signal import Signal, SignalKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SCHEDULED = Occasion(cause=Cause.SCHEDULE)


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
) -> Observed:
    checks = {check.kind: check for check in (drift, performance, estimated) if check is not None}
    return Observed(**{"now": now, "champion": "v1", "new_labels": 1000, "checks": checks, **known})


def alarm(at: datetime = NOW) -> Signal:
    return Signal(kind=SignalKind.ALARM, at=at, evidence={"alarm": "live-performance", "reason": "crossed"})


def request(at: datetime = NOW) -> Signal:
    return Signal(kind=SignalKind.MANUAL, at=at, evidence={"reason": "new season", "requested_by": "operator"})
