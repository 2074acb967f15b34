"""The configuration of triggers: the signals that start retraining, and its limits."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from hindsight.config.types import Duration, PositiveDuration, Section

# Hours that are summed up are counted without a bound (``labels.archiving.new_labels``): any number can be reached.
MAX_NEW_LABELS = 1_000_000_000


class SignalSwitches(Section):
    """The switches of the signals that ``combine`` counts, each named as the signal's kind; false or null is off."""

    first_version: bool = True
    """Train the first version once `min_new_labels` labels are due, without being asked."""
    schedule: PositiveDuration | None = None
    """Retrain when that long has passed since the last run; without it not by the calendar."""
    volume: Annotated[int, Field(ge=1, le=MAX_NEW_LABELS)] | None = None
    """Retrain when so many labels are new since the last run; without it not by their number."""
    drift: bool = True
    """Retrain when the inputs drift."""
    performance: bool = True
    """Retrain when live performance is too low."""
    estimated_performance: bool = False
    """Retrain when performance estimated before labels come is too low; blind to concept drift."""


class AtLeast(Section):
    """A combination asking for a number of the signals that can be counted: an alarm or a request is enough alone."""

    at_least: Annotated[int, Field(ge=1, le=len(SignalSwitches.model_fields))]
    """So many of the signals must be active."""


class RunBudget(Section):
    """At most ``count`` runs in any period of length ``per``."""

    count: Annotated[int, Field(ge=1, le=10_000)]
    """At most so many runs start in any period."""
    per: PositiveDuration
    """The length of the period."""


class Triggers(SignalSwitches):
    """The signals that ask for a run of a model; a person's request and a CloudWatch alarm always do."""

    combine: Literal["any", "all"] | AtLeast = "any"
    """The signals needed: any, all that are switched on, or `{at_least: 2}`."""
    cooldown: Duration = timedelta(days=1)
    """After a run none starts for that long, unless it was skipped."""
    min_new_labels: Annotated[int, Field(ge=0, le=MAX_NEW_LABELS)] = 200
    """A run needs so many labels that no run before it has seen."""
    max_runs: RunBudget | None = None
    """The most runs in a period; without it any number."""
