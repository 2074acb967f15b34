"""One round of review selection: an audit sample, and active learning within a daily budget.

Every prediction's selection probability is resolved by what was known before the dice fell, and no dice fall twice for
one prediction. So weighing reviewed rows by its inverse is unbiased, however the rounds follow one another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from hindsight.config.model import ModelConfiguration
from hindsight.entities.prediction import Prediction
from hindsight.review.selection.budget import Day, day_of, due, rows_to_come, with_day
from hindsight.review.selection.diversity import Cell, along_the_cells, cells_of, density_factors, moments_with
from hindsight.review.selection.sample import SampledPrediction, SampleReason
from hindsight.review.selection.sampling import UNITS, hash_uniform, inclusion_units, systematic_sample
from hindsight.review.selection.state import SelectionRound, SelectionState, remembered, row_digest
from hindsight.review.selection.uncertainty import uncertainty

# A row the model is sure of is sampled too, now and then: it may be wrong without knowing.
MIN_UNCERTAINTY = 0.01

SampledPredictions = tuple[SampledPrediction, ...]


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
        """The moment when the last of them was received."""
        return max(prediction.received_at for prediction in self.predictions)


def audit_sample(predictions: Sequence[Prediction], configuration: ModelConfiguration) -> SampledPredictions:
    """Sample the predictions of a model whose only reviews are the audit: no state decides, the ids do."""
    rate = configuration.review.random_rate
    return tuple(
        _sample(prediction, SampleReason.AUDIT, rate) for prediction in predictions if _is_audited(prediction, rate)
    )


def run_round(
    batch: Batch, configuration: ModelConfiguration, state: SelectionState
) -> tuple[SampledPredictions, SelectionState]:
    """Sample a batch; return the sampled predictions, and the state after it.

    The audit and active learning sample independently of each other: a row's selection probability is that of either.
    A row that both sample is an audit row, and leaves the budget alone.
    """
    rows = sorted(batch.predictions, key=lambda prediction: prediction.prediction_id)
    features = [row.features for row in rows]
    moments = moments_with(state.moments, features, configuration.features)
    cells = cells_of(features, configuration.features, moments)
    day = day_of(state.days, batch.day)
    weights = _weights(rows, cells, day, configuration)
    rate = state.rate.including(weights)
    target = 0.0
    if day is not None:
        expected = max(float(len(rows) + batch.waiting), rows_to_come(state.days, day, batch.received_at))
        left = configuration.review.uncertain_per_day - day.sampled
        target = due(left, weights, expected - len(rows), rate.mean)
    sampled = _sampled(batch, rows, cells, inclusion_units(weights, target), configuration.review.random_rate)
    days = state.days
    if day is not None:
        spent = sum(sample.reason is SampleReason.UNCERTAIN for sample in sampled.values())
        received = day.with_rows(row.received_at for row in rows)
        days = with_day(days, received.with_sampled(spent, (cells[index] for index in sampled)))
    newest = SelectionRound(tuple(row_digest(row.prediction_id) for row in rows), tuple(sampled.values()))
    after = replace(
        state,
        version=state.version + 1,
        days=days,
        moments=moments,
        rate=rate,
        recent=remembered(state.recent, newest),
    )
    return newest.sampled, after


def _weights(
    rows: Sequence[Prediction], cells: Sequence[Cell], day: Day | None, configuration: ModelConfiguration
) -> list[float]:
    review, task = configuration.review, configuration.task
    density = density_factors(cells, day.cells if day else {}, review.diversity)
    uncertain = (uncertainty(review.strategy, row.score, row.probabilities, task) for row in rows)
    return [max(MIN_UNCERTAINTY, how) * factor for how, factor in zip(uncertain, density, strict=True)]


def _sampled(
    batch: Batch, rows: Sequence[Prediction], cells: Sequence[Cell], units: Sequence[int], rate: float
) -> dict[int, SampledPrediction]:
    """Sample rows; return them by their index."""
    along = sorted(range(len(rows)), key=lambda index: along_the_cells(cells[index]))
    start = hash_uniform("draw", rows[0].model, batch.name, rows[0].prediction_id)
    chosen = {along[place] for place in systematic_sample([units[index] for index in along], start)}
    sampled = dict[int, SampledPrediction]()
    for index, row in enumerate(rows):
        if (audited := _is_audited(row, rate)) or index in chosen:
            inclusion = units[index] / UNITS
            reason = SampleReason.AUDIT if audited else SampleReason.UNCERTAIN
            sampled[index] = _sample(row, reason, min(1.0, rate + inclusion - rate * inclusion))
    return sampled


def _is_audited(prediction: Prediction, rate: float) -> bool:
    return hash_uniform("audit", prediction.model, prediction.prediction_id) < rate


def _sample(prediction: Prediction, reason: SampleReason, probability: float) -> SampledPrediction:
    return SampledPrediction(
        key=prediction.key, reason=reason, selection_probability=probability, sampled_at=prediction.received_at
    )
