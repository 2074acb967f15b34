"""A check store in memory, judged by the same contract suite as DynamoChecks."""

from collections.abc import Sequence
from datetime import datetime

from hindsight.monitoring.results.check import Check, CheckKind


class InMemoryChecks:
    """Checks by model and kind."""

    def __init__(self) -> None:
        self.checks: dict[tuple[str, CheckKind], Check] = {}
        self._beside: dict[str, tuple[datetime, list[Check]]] = {}

    def put(self, check: Check) -> None:
        stored = self.latest(check.model, check.kind)
        if stored is None or stored.at <= check.at:
            self.checks[check.model, check.kind] = check

    def latest(self, model: str, kind: CheckKind) -> Check | None:
        return self.checks.get((model, kind))

    def put_beside(self, model: str, at: datetime, checks: Sequence[Check]) -> None:
        if model not in self._beside or self._beside[model][0] <= at:
            self._beside[model] = (at, list(checks))

    def beside(self, model: str) -> list[Check]:
        return self._beside[model][1] if model in self._beside else []
