"""Digests of keys in memory, judged by the same contract suite as DynamoKeyDigests."""

from collections.abc import Sequence

from hindsight.adapters.models_table.key_digests import SECONDS_PER_TURN


class InMemoryKeyDigests:
    """Digests in a dictionary that several keyrings may share; ``reads`` counts how often they asked."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.next_at = float("-inf")
        self.reads = 0

    def known(self, key_ids: Sequence[str]) -> dict[str, bytes]:
        self.reads += 1
        return {key_id: self.kept[key_id] for key_id in key_ids if key_id in self.kept}

    def keep(self, key_id: str, digest: bytes) -> None:
        self.kept[key_id] = digest

    def take_turn(self, now: float) -> bool:
        if self.next_at > now:
            return False
        self.next_at = now + SECONDS_PER_TURN
        return True
