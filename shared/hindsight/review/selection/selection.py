"""Review selection: one selection round after another, each kept before its tasks are made."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import NotFound, Unavailable
from hindsight.entities.prediction import Prediction
from hindsight.labels.resolve import shifted
from hindsight.review.selection.selection_round import Batch, SampledPredictions, audit_sample, run_round
from hindsight.review.selection.state import SelectionStore, row_digest
from hindsight.review.selection.task_sink import ReviewTasks
from hindsight.validation.timestamps import ClientTimestamps

MAX_ROWS_A_ROUND = 500
# Workers of several shards may select for one model at once; one of them wins each time.
_ATTEMPTS = 60


@dataclass(frozen=True, slots=True)
class ReviewSelection:
    """The sampler of new predictions for review tasks.

    ``pause`` waits before the n-th attempt at a state that another worker has just changed.
    """

    configurations: ConfigurationStore
    store: SelectionStore
    tasks: ReviewTasks
    trust: ClientTimestamps = ClientTimestamps.BOUNDED
    pause: Callable[[int], None] = lambda _: None

    def consider(
        self,
        name: str,
        predictions: Sequence[Prediction],
        arrived_at: datetime | None = None,
        has_time: Callable[[], bool] = lambda: True,
    ) -> int:
        """Sample new predictions; return how many new review tasks there are.

        ``name`` is the batch's, ``arrived_at`` when the table took it: predictions of a past so far back that their
        tasks would have expired by then, as imports bring them, are passed over. (Where client timestamps are trusted
        it is another clock's, and not compared.) Considering predictions again, in the same or another grouping,
        changes nothing but makes up for tasks that a crash prevented. Raises Unavailable, also where time does not
        suffice: what is selected by then stays so, and the rest follows when the batch, or half of it, comes again.
        """
        by_model = defaultdict[str, dict[str, Prediction]](dict)
        for prediction in predictions:
            by_model[prediction.model].setdefault(prediction.prediction_id, prediction)
        clock = arrived_at if self.trust is ClientTimestamps.BOUNDED else None
        return sum(
            self._consider(name, model, list(found.values()), clock, has_time) for model, found in by_model.items()
        )

    def _consider(
        self,
        name: str,
        model: str,
        predictions: list[Prediction],
        clock: datetime | None,
        has_time: Callable[[], bool],
    ) -> int:
        _require_time(has_time, model)
        try:
            configuration = self.configurations.current(model).configuration
        except NotFound:
            return 0
        if clock is not None:
            expires = configuration.review.expires
            predictions = [found for found in predictions if shifted(found.received_at, expires) > clock]
        if configuration.review.uncertain_per_day == 0:
            return self._add(audit_sample(predictions, configuration), configuration)
        return sum(
            self._add(self._select(batch, configuration, has_time), configuration)
            for batch in _batches(name, predictions)
        )

    def _select(
        self, batch: Batch, configuration: ModelConfiguration, has_time: Callable[[], bool]
    ) -> SampledPredictions:
        """Sample a batch and note it in the state: tasks come after it, and can be made up for."""
        ids = {row_digest(prediction.prediction_id): prediction for prediction in batch.predictions}
        for attempt in range(_ATTEMPTS):
            _require_time(has_time, configuration.model)
            if attempt:
                self.pause(attempt)
            state = self.store.load(configuration.model)
            considered = state.considered_rows()
            unseen = [prediction for digest, prediction in ids.items() if digest not in considered]
            earlier = state.sampled_among(prediction.prediction_id for prediction in batch.predictions)
            if not unseen:
                return tuple(earlier)
            sampled, after = run_round(replace(batch, predictions=unseen), configuration, state)
            if self.store.save(after, state.version):
                return (*earlier, *sampled)
        raise Unavailable(f"the review selection of {configuration.model!r} keeps being changed by other workers")

    def _add(self, sampled: SampledPredictions, configuration: ModelConfiguration) -> int:
        return self.tasks.add(sampled, configuration) if sampled else 0


def _require_time(has_time: Callable[[], bool], model: str) -> None:
    """Raise Unavailable if there is no time for another round."""
    if not has_time():
        raise Unavailable(f"time does not suffice to select among the predictions of {model!r}")


def _batches(name: str, predictions: Sequence[Prediction]) -> Iterator[Batch]:
    """Divide the predictions by day, no more at once than a state can remember."""
    by_day = defaultdict[date, list[Prediction]](list)
    for prediction in predictions:
        by_day[prediction.received_at.astimezone(UTC).date()].append(prediction)
    for _, found in sorted(by_day.items()):
        for start in range(0, len(found), MAX_ROWS_A_ROUND):
            chunk = found[start : start + MAX_ROWS_A_ROUND]
            yield Batch(name, chunk, waiting=len(found) - start - len(chunk))
