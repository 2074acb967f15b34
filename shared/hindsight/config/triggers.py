"""The configuration of triggers: the signals that start retraining, and its limits."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from hindsight.config.types import Duration, PositiveDuration, Section

# Hours that are summed up are counted without a bound (``labels.archiving.new_labels``): any number can be reached.
MAX_NEW_LABELS = 1_000_000_000


class SignalSwitches(Section):
    """The switches of the signals that ``combine`` counts: a field each, named as the signal's kind, false or null off.

    ``estimated_performance`` is off unless asked for: an estimate made before labels come is blind to concept drift.
    """

    schedule: PositiveDuration | None = None
    volume: Annotated[int, Field(ge=1, le=MAX_NEW_LABELS)] | None = None
    drift: bool = True
    performance: bool = True
    estimated_performance: bool = False


class AtLeast(Section):
    """A combination asking for a number of the signals that can be counted: an alarm or a request is enough alone."""

    at_least: Annotated[int, Field(ge=1, le=len(SignalSwitches.model_fields))]


class RunBudget(Section):
    """At most ``count`` runs in any period of length ``per``."""

    count: Annotated[int, Field(ge=1, le=10_000)]
    per: PositiveDuration


class Triggers(SignalSwitches):
    """The signals that ask for a run of a model; a person's request and a CloudWatch alarm always do.

    ``estimated_performance`` is off unless asked for: an estimate made before labels come is blind to concept drift.
    """

    combine: Literal["any", "all"] | AtLeast = "any"
    cooldown: Duration = timedelta(days=1)
    min_new_labels: Annotated[int, Field(ge=0, le=MAX_NEW_LABELS)] = 200
    max_runs: RunBudget | None = None
