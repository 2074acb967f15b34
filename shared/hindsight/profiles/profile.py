"""The profile of a set of predictions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from msgspec import Struct, field

from hindsight.config.features import FeatureType
from hindsight.profiles.column import ColumnProfile, merge_columns
from hindsight.profiles.numbers import SCORE_K, NumberSketch
from hindsight.profiles.sample import RowSample

FORMAT = 1
MAX_DECISIONS = 100  # whose scores are profiled apart: the commonest


class Profile(Struct, frozen=True, kw_only=True, eq=False, array_like=True):
    """The profile of a set of predictions.

    Merging is associative and commutative: exactly in what is counted and in the sample, up to their stated error in
    the sketches.

    Parameters
    ----------
    rows
        The number of predictions that were logged.
    features
        The declared features, by name.
    score
        The scores, numeric.
    decision
        The decisions by canonical text; None for a regression, whose decisions are its scores.
    score_by_decision
        The scores given with each of the commonest decisions, by its canonical text; empty for a regression.
    due
        The number of rows whose outcomes fall due in each hour (``2026-03-01T05``).
    sample
        A few of the rows, uniformly drawn; of weighted ones with their weights.
    weighed
        The number of predictions that they stand for, None where each stands for itself.
    format
        The format of its stored form, which is an array of all these, the format first.
    """

    format: int = FORMAT
    rows: int
    features: Mapping[str, ColumnProfile]
    score: ColumnProfile
    decision: ColumnProfile | None = None
    score_by_decision: Mapping[str, NumberSketch] = field(default_factory=dict)
    due: Mapping[str, int] = field(default_factory=dict)
    sample: RowSample = field(default_factory=RowSample)
    weighed: int | None = None

    @classmethod
    def empty(cls) -> Self:
        """Build the profile of no predictions.

        >>> Profile.merged([Profile.empty(), Profile.empty()]).rows
        0
        """
        return cls(rows=0, features={}, score=ColumnProfile.empty(FeatureType.NUMERIC, SCORE_K))

    @property
    def total(self) -> int:
        """The number of predictions that its rows stand for."""
        return self.rows if self.weighed is None else self.weighed

    @classmethod
    def merged(cls, profiles: Sequence["Profile"], *, sample_capacity: int | None = None) -> Self:
        """Merge profiles into one of all their predictions; its sample has their largest capacity by default.

        A feature that only some of them know is described by the rows of those.
        """
        decisions = [profile.decision for profile in profiles if profile.decision is not None]
        return cls(
            rows=sum(profile.rows for profile in profiles),
            features={
                name: merge_columns([profile.features[name] for profile in profiles if name in profile.features])
                for name in _names(profile.features for profile in profiles)
            },
            score=merge_columns([profile.score for profile in profiles] or [cls.empty().score]),
            decision=merge_columns(decisions) if decisions else None,
            score_by_decision={
                name: NumberSketch.merged(
                    profile.score_by_decision[name] for profile in profiles if name in profile.score_by_decision
                )
                for name in _commonest_decisions(profiles)
            },
            due=_sums(profile.due for profile in profiles),
            sample=RowSample.merged([profile.sample for profile in profiles], sample_capacity),
            weighed=None
            if all(profile.weighed is None for profile in profiles)
            else sum(profile.total for profile in profiles),
        )


def _commonest_decisions(profiles: Iterable["Profile"]) -> list[str]:
    """List the decisions with the most scores: a model may decide for any of a million articles."""
    rows = Counter[str]()
    for profile in profiles:
        rows.update({name: sketch.rows for name, sketch in profile.score_by_decision.items()})
    return sorted(rows, key=lambda name: (-rows[name], name))[:MAX_DECISIONS]


def _sums(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total = Counter[str]()
    for counted in counts:
        total.update(counted)
    return dict(total)


def _names(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    """List the names that mappings have between them, in the order they come."""
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))
