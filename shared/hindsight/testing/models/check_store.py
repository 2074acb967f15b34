"""A check store in memory, judged by the same contract suite as DynamoChecks."""

from hindsight.monitoring.results.check import Check, CheckKind


class InMemoryChecks:
    """Checks by model and kind."""

    def __init__(self) -> None:
        self.checks: dict[tuple[str, CheckKind], Check] = {}

    def put(self, check: Check) -> None:
        stored = self.latest(check.model, check.kind)
        if stored is None or stored.at <= check.at:
            self.checks[check.model, check.kind] = check

    def latest(self, model: str, kind: CheckKind) -> Check | None:
        return self.checks.get((model, kind))
