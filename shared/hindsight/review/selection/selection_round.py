"""One draw for review: an audit sample, and active learning within a daily budget.

Every prediction's selection probability is settled by what was known before the dice fell, and no dice fall twice for
one prediction. So weighing reviewed rows by its inverse is unbiased, however the draws follow one another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from hindsight.config.model import ModelConfiguration
from hindsight.entities.prediction import Prediction
from hindsight.review.selection.budget import Day, day_of, due, rows_to_come, with_day
from hindsight.review.selection.diversity import Cell, along_the_cells, cells_of, crowding, moments_with
from hindsight.review.selection.sample import Pick, PickReason
from hindsight.review.selection.sampling import UNITS, hash_uniform, inclusion_units, systematic_sample
from hindsight.review.selection.state import Drawn, SelectionState, remembered, row_digest
from hindsight.review.selection.uncertainty import uncertainty

# A row the model is sure of is drawn too, now and then: where it is wrong without knowing is worth a look.
LEAST_UNCERTAINTY = 0.01

Picks = tuple[Pick, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Predictions of one model received on one UTC day, under a name that makes their dice.

    ``waiting`` counts the day's predictions that are known to come right after them.
    """

    name: str
    predictions: Sequence[Prediction]
    waiting: int = 0

    @property
    def day(self) -> date:
        """The day all of them were received."""
        return self.predictions[0].received_at.astimezone(UTC).date()

    @property
    def received_at(self) -> datetime:
        """When the last of them was received."""
        return max(prediction.received_at for prediction in self.predictions)


def audit_picks(predictions: Sequence[Prediction], configuration: ModelConfiguration) -> Picks:
    """Return the picks of a model whose only reviews are the audit: no state decides, the ids do."""
    rate = configuration.review.random_rate
    return tuple(
        _pick(prediction, PickReason.AUDIT, rate) for prediction in predictions if _is_audited(prediction, rate)
    )


def draw(batch: Batch, configuration: ModelConfiguration, state: SelectionState) -> tuple[Picks, SelectionState]:
    """Return the picks of a batch, and the state after it.

    The audit and active learning draw independently of each other: a row's selection probability is that of either. A
    row that both draw is an audit row, and leaves the budget alone.
    """
    rows = sorted(batch.predictions, key=lambda prediction: prediction.prediction_id)
    features = [row.features for row in rows]
    moments = moments_with(state.moments, features, configuration.features)
    cells = cells_of(features, configuration.features, moments)
    day = day_of(state.days, batch.day)
    weights = _weights(rows, cells, day, configuration)
    pace = state.pace.including(weights)
    target = 0.0
    if day is not None:
        expected = max(float(len(rows) + batch.waiting), rows_to_come(state.days, day, batch.received_at))
        left = configuration.review.uncertain_per_day - day.picked
        target = due(left, weights, expected - len(rows), pace.mean)
    picks = _picks(batch, rows, cells, inclusion_units(weights, target), configuration.review.random_rate)
    days = state.days
    if day is not None:
        spent = sum(pick.reason is PickReason.UNCERTAIN for pick in picks.values())
        received = day.with_rows(row.received_at for row in rows)
        days = with_day(days, received.with_picks(spent, (cells[index] for index in picks)))
    newest = Drawn(tuple(row_digest(row.prediction_id) for row in rows), tuple(picks.values()))
    after = replace(
        state,
        version=state.version + 1,
        days=days,
        moments=moments,
        pace=pace,
        recent=remembered(state.recent, newest),
    )
    return newest.picks, after


def _weights(
    rows: Sequence[Prediction], cells: Sequence[Cell], day: Day | None, configuration: ModelConfiguration
) -> list[float]:
    review, task = configuration.review, configuration.task
    crowd = crowding(cells, day.cells if day else {}, review.diversity)
    uncertain = (uncertainty(review.strategy, row.score, row.probabilities, task) for row in rows)
    return [max(LEAST_UNCERTAINTY, how) * factor for how, factor in zip(uncertain, crowd, strict=True)]


def _picks(
    batch: Batch, rows: Sequence[Prediction], cells: Sequence[Cell], units: Sequence[int], rate: float
) -> dict[int, Pick]:
    """Return the picks by the index of their row."""
    along = sorted(range(len(rows)), key=lambda index: along_the_cells(cells[index]))
    start = hash_uniform("draw", rows[0].model, batch.name, rows[0].prediction_id)
    drawn = {along[place] for place in systematic_sample([units[index] for index in along], start)}
    picks = dict[int, Pick]()
    for index, row in enumerate(rows):
        if (audited := _is_audited(row, rate)) or index in drawn:
            inclusion = units[index] / UNITS
            reason = PickReason.AUDIT if audited else PickReason.UNCERTAIN
            picks[index] = _pick(row, reason, min(1.0, rate + inclusion - rate * inclusion))
    return picks


def _is_audited(prediction: Prediction, rate: float) -> bool:
    return hash_uniform("audit", prediction.model, prediction.prediction_id) < rate


def _pick(prediction: Prediction, reason: PickReason, probability: float) -> Pick:
    return Pick(key=prediction.key, reason=reason, selection_probability=probability, picked_at=prediction.received_at)
