"""The configuration of serving: who answers, and the exploration of decisions that hide their outcome."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from hindsight.config.types import Section


class ServedBy(StrEnum):
    """The server that answers an app's instances."""

    HINDSIGHT = "hindsight"
    EXTERNAL = "external"


class Exploration(Section):
    """The decision by which outcomes are seen, taken for a share of the entities whatever the version decides."""

    share: Annotated[float, Field(gt=0, lt=1)]
    """The share of the entities that are answered with `decision`, always the same ones."""
    decision: bool | int | float | str
    """The decision by which the outcome is seen, such as to grant the loan; outcomes of others count as hidden."""
