"""Recalibration: from an estimator's probabilities of classes to calibrated ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from hindsight.evaluation.metrics import Floats
from hindsight.monitoring.estimation.estimator import ScoreCalibration


@dataclass(frozen=True, slots=True)
class Recalibration:
    """Logarithms of the chances times ``slope``, plus ``shifts``, normed; then, of binary ones, straight lines.

    A slope alone is temperature scaling (Guo et al., 2017), with a shift for two classes the scaling of Platt (1999).
    Shifts alone undo class weights: an estimator trained on classes weighted by w answers in proportion to w·p, so
    that p is in proportion to its answer over w (Elkan, 2001). A class without a chance stays without one.

    >>> Recalibration(1.0, (0.0, -np.log(4.0))).apply(np.array([[0.2, 0.8]])).round(3).tolist()
    [[0.5, 0.5]]
    """

    slope: float
    shifts: tuple[float, ...]
    lines: ScoreCalibration | None = None

    @classmethod
    def undo(cls, class_weights: Floats) -> Self:
        """Build the inverse of weights of classes, shape (classes,), that an estimator was trained with."""
        return cls(1.0, tuple((-np.log(class_weights)).tolist()))

    def then(self, later: "Recalibration") -> "Recalibration":
        """Compose this recalibration with a later one; one with lines can only come last."""
        shifts = tuple(later.slope * shift + more for shift, more in zip(self.shifts, later.shifts, strict=True))
        return Recalibration(later.slope * self.slope, shifts, later.lines)

    def apply(self, chances: Floats) -> Floats:
        """Recalibrate probabilities of shape (n, classes)."""
        with np.errstate(divide="ignore"):
            logarithms = self.slope * np.log(chances) + np.asarray(self.shifts)
        raised = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        normed: Floats = raised / raised.sum(axis=1, keepdims=True)
        if self.lines is None:
            return normed
        positive = self.lines.apply(normed[:, 1])
        return np.column_stack([1 - positive, positive])

    def to_json(self) -> dict[str, Any]:
        """Convert the recalibration to JSON objects."""
        lines = {} if self.lines is None else {"lines": [list(self.lines.scores), list(self.lines.probabilities)]}
        return {"slope": self.slope, "shifts": list(self.shifts), **lines}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read a recalibration from JSON objects."""
        lines = document.get("lines")
        return cls(
            document["slope"],
            tuple(document["shifts"]),
            None if lines is None else ScoreCalibration(tuple(lines[0]), tuple(lines[1])),
        )
