"""Allowances in memory, judged by the same contract suite as DynamoAllowances."""

from collections.abc import Sequence

from hindsight.labels.joining.entity_limit import Allowance, EntityLimits


class InMemoryAllowances:
    """The events taken, in a dictionary."""

    def __init__(self) -> None:
        self.taken: dict[tuple[str, str], list[str]] = {}

    def take(self, allowance: Allowance, events: Sequence[str]) -> set[str]:
        taken = self.taken.setdefault((allowance.model, allowance.name), [])
        fresh = [event for event in dict.fromkeys(events) if event not in taken]
        taken += fresh[: max(0, allowance.count - len(taken))]
        return set(taken).intersection(events)


def no_limits() -> EntityLimits:
    """Build limits of their own for models that have none, or whose entities send little."""
    return EntityLimits(InMemoryAllowances())
