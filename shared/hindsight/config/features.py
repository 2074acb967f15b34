"""The features a model reads, by type."""

from enum import StrEnum
from typing import Self

from pydantic import model_validator

from hindsight.config.types import Number, Section, require_consistent
from hindsight.core.errors import Fault


class FeatureType(StrEnum):
    """The type of a feature: its values are read, encoded and compared by it."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"


class Feature(Section):
    """One declared feature; ``min`` and ``max`` are the expected range of a numeric one, watched, not enforced."""

    type: FeatureType
    """The type by which values are read and compared; a value of another type counts as missing."""
    min: Number | None = None
    """The least value expected; smaller ones are accepted, and monitored as `out_of_range`."""
    max: Number | None = None
    """The greatest value expected; larger ones are accepted, and monitored as `out_of_range`."""

    @model_validator(mode="after")
    def _range_fits_type(self) -> Self:
        given = [name for name, bound in (("min", self.min), ("max", self.max)) if bound is not None]
        if self.type is not FeatureType.NUMERIC:
            require_consistent(Fault(name, f"is for numeric features, not {self.type}") for name in given)
        elif self.min is not None and self.max is not None and self.min >= self.max:
            require_consistent([Fault("min", "must be less than max"), Fault("max", "must be greater than min")])
        return self
