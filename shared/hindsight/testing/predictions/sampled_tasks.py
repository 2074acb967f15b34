"""Review tasks as far as picking goes: who was sampled, and how."""

from collections.abc import Sequence

from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import Unavailable
from hindsight.entities.prediction import PredictionKey
from hindsight.review.selection.sample import SampledPrediction


class SampledTasks:
    """The first sample of every prediction; ``calls_to_fail`` calls are refused."""

    def __init__(self) -> None:
        self.sampled: dict[PredictionKey, SampledPrediction] = {}
        self.calls_to_fail = 0

    def add(self, sampled: Sequence[SampledPrediction], configuration: ModelConfiguration) -> int:
        if self.calls_to_fail:
            self.calls_to_fail -= 1
            raise Unavailable("the table is too busy")
        new = [sample for sample in sampled if sample.key not in self.sampled]
        self.sampled.update({sample.key: sample for sample in new})
        return len(new)
