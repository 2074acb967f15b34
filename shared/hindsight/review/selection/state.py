"""The state of a model's review selection, on which its next round depends, and where it is kept."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from hindsight.core.times import format_time, parse_time
from hindsight.entities.prediction import PredictionKey
from hindsight.review.selection.budget import Day, Days
from hindsight.review.selection.diversity import Moments
from hindsight.review.selection.sample import SampledPrediction, SampleReason

# The bounds that keep a state far below the 400 KB an item may have, for ids and names of any length.
MAX_BATCHES = 60
MAX_ROWS = 5000
MAX_SAMPLED = 1000
_DIGEST_BYTES, _DIGEST_CHARACTERS = 6, 8
_RATE_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Rate:
    """The mean weight of a row, which a batch is compared with; the last thousand rows weigh most."""

    mean: float = 0.0
    rows: int = 0

    def including(self, weights: Sequence[float]) -> "Rate":
        """Add rows to the rate.

        >>> Rate(0.2, 100).including([0.4] * 100).mean
        0.3
        """
        before = min(self.rows, _RATE_ROWS)
        mean = (self.mean * before + sum(weights)) / max(1, before + len(weights))
        return Rate(round(mean, 12), min(self.rows + len(weights), _RATE_ROWS))


@dataclass(frozen=True, slots=True)
class SelectionRound:
    """The rows of a selection round, by the digests of their ids, and the sampled predictions among them."""

    rows: tuple[str, ...]
    sampled: tuple[SampledPrediction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionState:
    """One model's state; ``version`` counts its changes, each conditional on the previous one.

    ``recent`` holds the last rounds, oldest first: a row is considered once, although it comes again in other batches.
    """

    model: str
    version: int = 0
    days: Days = ()
    moments: Mapping[str, Moments] = field(default_factory=dict)
    rate: Rate = Rate()
    recent: tuple[SelectionRound, ...] = ()

    def considered_rows(self) -> frozenset[str]:
        """List the digests of the rows of the last rounds."""
        return frozenset(row for one in self.recent for row in one.rows)

    def sampled_among(self, ids: Iterable[str]) -> list[SampledPrediction]:
        """List the predictions that were sampled in the last rounds, of those given."""
        wanted = set(ids)
        return [sample for one in self.recent for sample in one.sampled if sample.key.prediction_id in wanted]

    def to_json(self) -> dict[str, Any]:
        """Convert all but model and version to JSON objects."""
        return {
            "days": [day.to_json() for day in self.days],
            "moments": {name: [found.count, found.mean, found.squares] for name, found in self.moments.items()},
            "rate": [self.rate.mean, self.rate.rows],
            "recent": [["".join(one.rows), [_sampled_to_json(found) for found in one.sampled]] for one in self.recent],
        }

    @classmethod
    def from_json(cls, model: str, version: int, row: Mapping[str, Any]) -> "SelectionState":
        """Read the state that ``to_json`` wrote."""
        return cls(
            model=model,
            version=version,
            days=tuple(map(Day.from_json, row["days"])),
            moments={name: Moments(*found) for name, found in row["moments"].items()},
            rate=Rate(*row["rate"]),
            recent=tuple(
                SelectionRound(_split(rows), tuple(_sampled_from_json(model, sample) for sample in sampled))
                for rows, sampled in row["recent"]
            ),
        )


class SelectionStore(Protocol):
    """The states by model; every change of one is conditional on the state it was made from."""

    def load(self, model: str) -> SelectionState:
        """Read a model's state, a new one if it has none yet."""

    def save(self, state: SelectionState, expected_version: int) -> bool:
        """Store a state; False, and nothing stored, if the stored one is no longer of the expected version."""


def row_digest(prediction_id: str) -> str:
    """Compute a short digest by which a prediction is known again: two of a state's rows share one hardly ever.

    >>> row_digest("p-1")
    'He5uPsZ9'
    """
    digest = hashlib.sha256(prediction_id.encode()).digest()[:_DIGEST_BYTES]
    return base64.b64encode(digest).decode()


def remembered(recent: Sequence[SelectionRound], newest: SelectionRound) -> tuple[SelectionRound, ...]:
    """Add a round to the last ones, as many of the newest as the bounds allow; the newest always stays."""
    kept, rows, sampled = [newest], len(newest.rows), len(newest.sampled)
    for one in reversed(recent):
        rows, sampled = rows + len(one.rows), sampled + len(one.sampled)
        if len(kept) == MAX_BATCHES or rows > MAX_ROWS or sampled > MAX_SAMPLED:
            break
        kept.append(one)
    return tuple(reversed(kept))


def _split(rows: str) -> tuple[str, ...]:
    return tuple(rows[start : start + _DIGEST_CHARACTERS] for start in range(0, len(rows), _DIGEST_CHARACTERS))


def _sampled_to_json(sample: SampledPrediction) -> list[Any]:
    return [sample.key.prediction_id, sample.reason.value, sample.selection_probability, format_time(sample.sampled_at)]


def _sampled_from_json(model: str, row: Sequence[Any]) -> SampledPrediction:
    prediction_id, reason, probability, sampled_at = row
    moment: datetime = parse_time(sampled_at)
    return SampledPrediction(
        key=PredictionKey(model, prediction_id),
        reason=SampleReason(reason),
        selection_probability=probability,
        sampled_at=moment,
    )
