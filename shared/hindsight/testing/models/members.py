"""The index of datasets' rows in memory, judged by the same contract suite as DynamoMembers."""

from collections.abc import Mapping


class InMemoryMembers:
    """Buckets in a dictionary."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], dict[int, bytes]] = {}

    def replace(self, model: str, dataset_id: str, buckets: Mapping[int, bytes]) -> None:
        self.held[model, dataset_id] = dict(buckets)

    def buckets(self, model: str, wanted: Mapping[str, int]) -> dict[str, bytes]:
        held = {dataset_id: self.held.get((model, dataset_id), {}) for dataset_id in wanted}
        return {name: held[name][bucket] for name, bucket in wanted.items() if bucket in held[name]}

    def forget(self, model: str, dataset_id: str) -> None:
        self.held.pop((model, dataset_id), None)
