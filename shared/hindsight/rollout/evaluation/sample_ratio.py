"""The share of entities that a canary answered against the share it was to answer: the sample ratio."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from hindsight.core.times import microseconds
from hindsight.label_records.rows import LabelRows, entity_keys
from hindsight.registry.pointer import Rollout

LEVEL = 0.001
"""The probability that a share that is as asked is ever called a mismatch, in a whole rollout."""
CONCENTRATION = 100.0
SETTLING = timedelta(minutes=1)
"""A server outside may keep an answer for ten seconds: whom it answered in the first minute is not counted."""
_MOST_EVIDENCE = 230.0  # the logarithm of what storage and JSON still hold


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """The entities that the version of a canary answered, of all, against the share that was asked for."""

    answered: int
    entities: int
    asked: float

    @property
    def found(self) -> float | None:
        """The share that was found, None before the first entity."""
        return self.answered / self.entities if self.entities else None

    @property
    def evidence(self) -> float:
        """The e-value against the share that was asked for."""
        return math.exp(min(_MOST_EVIDENCE, log_evidence(self.answered, self.entities, self.asked)))

    @property
    def is_mismatch(self) -> bool:
        """True where the share differs from the one asked for, beyond chance."""
        return self.evidence * LEVEL >= 1

    @property
    def reason(self) -> str:
        """The mismatch in a sentence."""
        return (
            f"the version answered {self.answered} of {self.entities} entities, {self.answered / self.entities:.1%}, "
            f"where {self.asked:.1%} is asked for (e-value {self.evidence:.3g} of the {1 / LEVEL:.0f} needed)"
        )

    def to_json(self) -> dict[str, Any]:
        """Build the operators' view of it."""
        return {
            "asked": self.asked,
            "found": self.found,
            "entities": self.entities,
            "evidence": self.evidence,
            "is_mismatch": self.is_mismatch,
        }


def log_evidence(answered: int, entities: int, asked: float) -> float:
    """Compute the logarithm of the e-value against a share, from the entities so far.

    The likelihood of the counts under shares drawn from a beta distribution around the one asked for, over that under
    the share itself: a martingale of mean 1 where each entity is given to the version with that probability, so that
    it ever exceeds ``1 / LEVEL`` with a probability of at most ``LEVEL``, looked at as often as one likes (Lindon &
    Malek, 2022, "Anytime-valid inference for multinomial count data": the mixture of a Dirichlet and a multinomial
    distribution, here of two). The counts are all it needs to remember.

    >>> round(math.exp(log_evidence(100, 1000, 0.1)), 2), round(math.exp(log_evidence(50, 1000, 0.1)))
    (0.3, 1139611)
    """
    ours, others = CONCENTRATION * asked, CONCENTRATION * (1 - asked)
    drawn = _log_beta(ours + answered, others + entities - answered) - _log_beta(ours, others)
    return drawn - answered * math.log(asked) - (entities - answered) * math.log1p(-asked)


def sample_ratio(rows: LabelRows, rollout: Rollout, champion: str) -> SampleRatio | None:
    """Count whom a canary and the champion answered; None for a shadow.

    ``rows`` are the label records of all predictions that are due, also of those whose label has no value: which labels
    come may depend on the version, which predictions fall due does not. An entity belongs to the version that answered
    it first; a prediction without an entity counts by itself.
    """
    if rollout.share is None:
        return None
    versions = rows.values("model_version")
    ours = versions.is_text(rollout.version)
    made = rows.times("occurred_at").microseconds
    chosen = np.flatnonzero((ours | versions.is_text(champion)) & (made >= microseconds(rollout.since + SETTLING)))
    in_order = chosen[np.argsort(made[chosen], kind="stable")]
    first = np.unique(entity_keys(rows.entities, rows.thinning)[in_order], return_index=True)[1]
    return SampleRatio(answered=int(ours[in_order[first]].sum()), entities=len(first), asked=rollout.share)


def _log_beta(first: float, second: float) -> float:
    return math.lgamma(first) + math.lgamma(second) - math.lgamma(first + second)
