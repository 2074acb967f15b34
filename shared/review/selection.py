"""Which predictions people are asked to review: draw after draw, each kept before its tasks are made."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date

from shared.capture.prediction import Prediction
from shared.configuration.model import ModelConfiguration
from shared.configuration.store import ConfigurationStore
from shared.errors import NotFound, Unavailable
from shared.review.draw import Batch, Picks, audit_picks, draw
from shared.review.state import SelectionStore, row_digest
from shared.review.tasks import ReviewTasks

MOST_ROWS_A_DRAW = 500
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class ReviewSelection:
    """Picks among new predictions and makes the picked ones review tasks."""

    configurations: ConfigurationStore
    store: SelectionStore
    tasks: ReviewTasks

    def consider(self, name: str, predictions: Sequence[Prediction]) -> int:
        """Pick among new predictions; return how many new review tasks there are.

        ``name`` is the batch's. Considering predictions again, in the same or another grouping, changes nothing but
        makes up for tasks that a crash prevented. Raises Unavailable.
        """
        by_model = defaultdict[str, dict[str, Prediction]](dict)
        for prediction in predictions:
            by_model[prediction.model].setdefault(prediction.prediction_id, prediction)
        return sum(self._consider(name, model, list(found.values())) for model, found in by_model.items())

    def _consider(self, name: str, model: str, predictions: list[Prediction]) -> int:
        try:
            configuration = self.configurations.current(model).configuration
        except NotFound:
            return 0
        if configuration.review.uncertain_per_day == 0:
            return self._add(audit_picks(predictions, configuration), configuration)
        return sum(
            self._add(self._settle(batch, configuration), configuration) for batch in _batches(name, predictions)
        )

    def _settle(self, batch: Batch, configuration: ModelConfiguration) -> Picks:
        """Return the picks of a batch once the state knows of them: tasks come after it, and can be made up for."""
        ids = {row_digest(prediction.prediction_id): prediction for prediction in batch.predictions}
        for _ in range(_ATTEMPTS):
            state = self.store.load(configuration.model)
            drawn = state.drawn_rows()
            unseen = [prediction for digest, prediction in ids.items() if digest not in drawn]
            earlier = state.picks_among(prediction.prediction_id for prediction in batch.predictions)
            if not unseen:
                return tuple(earlier)
            picks, after = draw(replace(batch, predictions=unseen), configuration, state)
            if self.store.save(after, state.version):
                return (*earlier, *picks)
        raise Unavailable(f"the review selection of {configuration.model!r} keeps being changed by others")

    def _add(self, picks: Picks, configuration: ModelConfiguration) -> int:
        return self.tasks.add(picks, configuration) if picks else 0


def _batches(name: str, predictions: Sequence[Prediction]) -> Iterator[Batch]:
    """Yield the predictions day by day, no more at once than a state can remember."""
    by_day = defaultdict[date, list[Prediction]](list)
    for prediction in predictions:
        by_day[prediction.received_at.astimezone(UTC).date()].append(prediction)
    for _, found in sorted(by_day.items()):
        for start in range(0, len(found), MOST_ROWS_A_DRAW):
            chunk = found[start : start + MOST_ROWS_A_DRAW]
            yield Batch(name, chunk, waiting=len(found) - start - len(chunk))
