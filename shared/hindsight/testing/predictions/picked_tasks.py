"""Review tasks as far as picking goes: who was picked, and how."""

from collections.abc import Sequence

from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import Unavailable
from hindsight.entities.prediction import PredictionKey
from hindsight.review.selection.sample import Pick


class PickedTasks:
    """The first pick of every prediction; ``calls_to_fail`` calls are refused."""

    def __init__(self) -> None:
        self.picks: dict[PredictionKey, Pick] = {}
        self.calls_to_fail = 0

    def add(self, picks: Sequence[Pick], configuration: ModelConfiguration) -> int:
        if self.calls_to_fail:
            self.calls_to_fail -= 1
            raise Unavailable("the table is too busy")
        new = [pick for pick in picks if pick.key not in self.picks]
        self.picks.update({pick.key: pick for pick in new})
        return len(new)
