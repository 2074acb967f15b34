"""What the next draw for review depends on, of one model; and where it is kept."""

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
from hindsight.review.selection.sample import Pick, PickReason

# The bounds that keep a state far below the 400 KB an item may have, however long ids and names are.
MOST_BATCHES = 60
MOST_ROWS = 5000
MOST_PICKS = 1000
_DIGEST_BYTES, _DIGEST_CHARACTERS = 6, 8
_PACE_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Pace:
    """The mean weight of a row, by which a batch is told from an average one; the last thousand rows weigh most."""

    mean: float = 0.0
    rows: int = 0

    def including(self, weights: Sequence[float]) -> "Pace":
        """Return the pace after more rows.

        >>> Pace(0.2, 100).including([0.4] * 100).mean
        0.3
        """
        before = min(self.rows, _PACE_ROWS)
        mean = (self.mean * before + sum(weights)) / max(1, before + len(weights))
        return Pace(round(mean, 12), min(self.rows + len(weights), _PACE_ROWS))


@dataclass(frozen=True, slots=True)
class Drawn:
    """Rows that were drawn from, by the digests of their ids, and the picks among them."""

    rows: tuple[str, ...]
    picks: tuple[Pick, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionState:
    """One model's state; ``version`` counts its changes, each conditional on the one before.

    ``recent`` holds the last draws, oldest first: a row is drawn from once, in whatever grouping it comes again.
    """

    model: str
    version: int = 0
    days: Days = ()
    moments: Mapping[str, Moments] = field(default_factory=dict)
    pace: Pace = Pace()
    recent: tuple[Drawn, ...] = ()

    def drawn_rows(self) -> frozenset[str]:
        """Return the digests of the rows drawn from lately."""
        return frozenset(row for drawn in self.recent for row in drawn.rows)

    def picks_among(self, ids: Iterable[str]) -> list[Pick]:
        """Return the picks made lately among some predictions."""
        wanted = set(ids)
        return [pick for drawn in self.recent for pick in drawn.picks if pick.key.prediction_id in wanted]

    def to_json(self) -> dict[str, Any]:
        """Return all but model and version as JSON objects."""
        return {
            "days": [day.to_json() for day in self.days],
            "moments": {name: [found.count, found.mean, found.squares] for name, found in self.moments.items()},
            "pace": [self.pace.mean, self.pace.rows],
            "recent": [["".join(drawn.rows), [_pick_to_json(pick) for pick in drawn.picks]] for drawn in self.recent],
        }

    @classmethod
    def from_json(cls, model: str, version: int, row: Mapping[str, Any]) -> "SelectionState":
        """Return the state that ``to_json`` described."""
        return cls(
            model=model,
            version=version,
            days=tuple(map(Day.from_json, row["days"])),
            moments={name: Moments(*found) for name, found in row["moments"].items()},
            pace=Pace(*row["pace"]),
            recent=tuple(
                Drawn(_split(rows), tuple(_pick_from_json(model, pick) for pick in picks))
                for rows, picks in row["recent"]
            ),
        )


class SelectionStore(Protocol):
    """The states by model; every change of one is conditional on the state it was made from."""

    def load(self, model: str) -> SelectionState:
        """Return a model's state, a new one if it has none yet."""

    def save(self, state: SelectionState, expected_version: int) -> bool:
        """Store a state; False, and nothing stored, if the stored one is no longer of the expected version."""


def row_digest(prediction_id: str) -> str:
    """Return a short digest by which a prediction is known again: two of a state's rows share one hardly ever.

    >>> row_digest("p-1")
    'He5uPsZ9'
    """
    digest = hashlib.sha256(prediction_id.encode()).digest()[:_DIGEST_BYTES]
    return base64.b64encode(digest).decode()


def remembered(recent: Sequence[Drawn], newest: Drawn) -> tuple[Drawn, ...]:
    """Return the last draws with one more, as many of the newest as the bounds allow; the newest always stays."""
    kept, rows, picks = [newest], len(newest.rows), len(newest.picks)
    for drawn in reversed(recent):
        rows, picks = rows + len(drawn.rows), picks + len(drawn.picks)
        if len(kept) == MOST_BATCHES or rows > MOST_ROWS or picks > MOST_PICKS:
            break
        kept.append(drawn)
    return tuple(reversed(kept))


def _split(rows: str) -> tuple[str, ...]:
    return tuple(rows[start : start + _DIGEST_CHARACTERS] for start in range(0, len(rows), _DIGEST_CHARACTERS))


def _pick_to_json(pick: Pick) -> list[Any]:
    return [pick.key.prediction_id, pick.reason.value, pick.selection_probability, format_time(pick.picked_at)]


def _pick_from_json(model: str, row: Sequence[Any]) -> Pick:
    prediction_id, reason, probability, picked_at = row
    moment: datetime = parse_time(picked_at)
    return Pick(
        key=PredictionKey(model, prediction_id),
        reason=PickReason(reason),
        selection_probability=probability,
        picked_at=moment,
    )
