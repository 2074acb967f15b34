"""Constant predictions: a champion that answers all alike, though it did not on its holdout."""

from dataclasses import dataclass

from hindsight.profiles.column import ColumnProfile
from hindsight.profiles.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantPredictions:
    """The one ``answer`` of a champion in all ``rows`` of a window; ``p_value`` is how likely chance gives no other."""

    answer: str
    rows: int
    p_value: float

    @property
    def reason(self) -> str:
        """The finding in words."""
        return f"the version answers {self.answer} to all {self.rows:,} rows, as it did not on its holdout"


def find_constant_predictions(reference: Profile, window: Profile) -> ConstantPredictions | None:
    """Find the one answer of the champion's ``window``, None where it gives several or always gave this one.

    It is a score, or else a decision. Where a share q of the holdout has it, chance gives it to n rows with
    probability q^n.
    """
    return _constant_score(reference, window) or _constant_decision(reference, window)


def _constant_score(reference: Profile, window: Profile) -> ConstantPredictions | None:
    found, known = window.score.distribution, reference.score.distribution
    if len(found.values) != 1 or not known.rows:
        return None
    (value,) = found.values
    usual = float(known.weights[known.values == value].sum() / known.rows)
    return _unusual(f"the score {value:.4g}", window.score, usual)


def _constant_decision(reference: Profile, window: Profile) -> ConstantPredictions | None:
    if window.decision is None or reference.decision is None:
        return None
    found, known = window.decision.counts, reference.decision.counts
    if len(found) != 1 or not known:
        return None
    (decision,) = found
    return _unusual(decision, window.decision, known.get(decision, 0.0) / sum(known.values()))


def _unusual(answer: str, column: ColumnProfile, usual: float) -> ConstantPredictions | None:
    rows = column.present // column.heaviest
    return ConstantPredictions(answer=answer, rows=rows, p_value=usual**rows) if usual < 1 else None
