"""Changes of a model's configuration: what differs, and what that does to the version that serves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from hindsight.config.features import FeatureType
from hindsight.config.labels import canonical_text
from hindsight.config.model import ModelConfiguration, ServedBy
from hindsight.config.parse import dump_configuration
from hindsight.config.store import ConfigurationStore, Retirement, SentDocument
from hindsight.config.types import format_duration
from hindsight.core.errors import Conflict, Fault, NotFound
from hindsight.core.times import format_time
from hindsight.registry.served_features import ServedFeatures, kept_for_serving
from hindsight.registry.store import Registry

TASK_CHANGED = "task_changed"
# With a smaller share of what is due left to train on, the training window is short.
_LEAST_LEFT = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that a new configuration changes for what serves or is kept; ``code`` is part of the HTTP contract."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One path at which two configurations differ, every default written out; None where a side has nothing."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationChange:
    """The effect of storing a configuration."""

    model: str
    revision: int
    effects: tuple[Effect, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class ConfigurationChanges:
    """The changes of models' configurations."""

    configurations: ConfigurationStore
    registry: Registry

    def preview(self, configuration: ModelConfiguration) -> ConfigurationChange:
        """Compute what storing a configuration would do; nothing is stored. Raises Conflict while a model is erased."""
        try:
            retirement = self.configurations.retirement(configuration.model)
        except NotFound:
            return _of_new_model(configuration, 1)
        if retirement is not None and retirement.is_being_erased:
            raise Conflict(f"the model {configuration.model!r} is being erased by the job {retirement.job_id}")
        if retirement is not None and retirement.erased_at is not None:
            return _of_new_model(configuration, retirement.erased_revisions + 1)
        newest = self.configurations.stored(configuration.model)
        pointer = self.registry.pointer(configuration.model)
        before = newest.configuration
        served = ServedFeatures(self.registry, self.configurations).of(configuration.model, pointer)
        differences = tuple(differences_between(before, configuration))
        return ConfigurationChange(
            model=configuration.model,
            revision=newest.revision + bool(differences),
            effects=(*_back_in_service(retirement), *effects_of(before, configuration, served)),
            differences=differences,
        )

    def store(
        self, configuration: ModelConfiguration, sent: SentDocument, now: datetime, *, force: bool
    ) -> ConfigurationChange:
        """Store a configuration. Raises Conflict for another task than before, unless it is forced."""
        change = self.preview(configuration)
        if not force and any(effect.code == TASK_CHANGED for effect in change.effects):
            message = "the model has another task; ask for ?force=true, or store it under another name"
            raise Conflict(message, (Fault("task", "is not the one the model has"),))
        revision = self.configurations.put(configuration, now, sent)
        return replace(change, revision=revision)


def effects_of(
    before: ModelConfiguration, after: ModelConfiguration, served: Mapping[str, FeatureType]
) -> Iterator[Effect]:
    """List the effects of a new configuration; ``served`` is what the versions that serve read.

    >>> from hindsight.testing.builders.configuration import configuration
    >>> [effect.code for effect in effects_of(configuration(), configuration(), {})]
    []
    """
    if before.task is not after.task:
        message = f"the task was {before.task}: labels, metrics and the serving version are of the old one"
        yield Effect(code=TASK_CHANGED, message=message)
    if served:
        yield from _feature_effects(served, after)
    if before.labels != after.labels or before.feedback != after.feedback:
        message = "labels that exist stay as the old rules made them; POST .../relabel gives history the new ones"
        yield Effect(code="labels_changed", message=message)
    if before.outcome_delay != after.outcome_delay:
        due, instead = format_duration(after.outcome_delay), format_duration(before.outcome_delay)
        message = f"outcomes of what is logged from now on are due after {due} instead of {instead}"
        yield Effect(code="outcome_delay_changed", message=message)
    if (before.training, before.outcome_delay) != (after.training, after.outcome_delay):
        yield from window_effects(after)
    if before.exploration != after.exploration:
        yield from exploration_effects(after)
    if not _leaves_here(before):
        yield from engine_effects(after)
    if before.retention != after.retention:
        message = "what is kept already ends when it was to end"
        yield Effect(code="retention_changed", message=message)


def engine_effects(configuration: ModelConfiguration) -> Iterator[Effect]:
    """Report versions that are to be made elsewhere and answered with here: there is no artefact of them here.

    >>> from hindsight.testing.builders.configuration import configuration
    >>> [effect.code for effect in engine_effects(configuration(training={"engine": "external"}))]
    ['made_elsewhere_served_here']
    """
    if _leaves_here(configuration):
        message = (
            "once a version of an external engine serves, predict is a 409 served_elsewhere; set serving: external"
        )
        yield Effect(code="made_elsewhere_served_here", message=message)


def window_effects(configuration: ModelConfiguration) -> Iterator[Effect]:
    """Report a training window of which the label delay leaves little: it takes its length at both ends.

    >>> from datetime import timedelta
    >>> from hindsight.testing.builders.configuration import configuration
    >>> [effect.code for effect in window_effects(configuration(training={"window": "P10D"}))]
    ['training_window_short']
    """
    training, delay = configuration.training, configuration.outcome_delay
    due = max(training.window - delay, timedelta(0))
    left = max(due * (1 - training.holdout) - delay, timedelta(0))
    if left < due * _LEAST_LEFT or not due:
        window, gap = format_duration(training.window), format_duration(delay)
        message = (
            f"of training.window ({window}) the last {gap} are not due yet, and as much falls out before the holdout: "
            f"{left / timedelta(days=1):.0f} days are left to train on{_longer(training.holdout, delay)}"
        )
        yield Effect(code="training_window_short", message=message)


def _longer(holdout: float, delay: timedelta) -> str:
    """Name the window, in whole days, of which a quarter of what is due is left to train on, if one is long enough."""
    if holdout >= 1 - _LEAST_LEFT:
        return "; take a smaller training.holdout"
    days = ceil((delay + delay / (1 - _LEAST_LEFT - holdout)) / timedelta(days=1))
    return f"; from P{days}D on enough are"


def exploration_effects(configuration: ModelConfiguration) -> Iterator[Effect]:
    """Report what exploration costs, and where nothing weighs by it.

    >>> from hindsight.testing.builders.configuration import configuration
    >>> [effect.message for effect in exploration_effects(configuration(exploration={"share": 0.02, "decision": 1}))]
    ['2% of the entities are answered 1 whatever the version decides; a label it shows so weighs as 50 others']
    """
    explored = configuration.exploration
    if explored is None:
        return
    decision = canonical_text(explored.decision)
    message = f"{100 * explored.share:.3g}% of the entities are answered {decision} whatever the version decides"
    if configuration.serving is ServedBy.EXTERNAL:
        message = "your server explores, and logs propensity and model_decision; here its propensities weigh"
    elif not configuration.labels.labels_every_prediction:
        message += f"; a label it shows so weighs as {1 / explored.share:.3g} others"
    yield Effect(code="exploration_changed", message=message)
    if configuration.labels.labels_every_prediction:
        message = (
            "labels.default labels every prediction: no outcome counts as hidden, and nothing weighs by propensity"
        )
        yield Effect(code="exploration_weighs_nothing", message=message)


def differences_between(before: ModelConfiguration, after: ModelConfiguration) -> Iterator[Difference]:
    """List the paths at which two configurations differ."""
    yield from _differences("", dump_configuration(before), dump_configuration(after))


def _of_new_model(configuration: ModelConfiguration, revision: int) -> ConfigurationChange:
    effects = (*window_effects(configuration), *exploration_effects(configuration), *engine_effects(configuration))
    return ConfigurationChange(model=configuration.model, revision=revision, effects=effects, differences=())


def _leaves_here(configuration: ModelConfiguration) -> bool:
    return configuration.is_trained_elsewhere and configuration.serving is ServedBy.HINDSIGHT


def _back_in_service(retirement: Retirement | None) -> Iterator[Effect]:
    if retirement is not None:
        message = f"the model was retired at {format_time(retirement.at)}; what served then serves again"
        yield Effect(code="back_in_service", message=message)


def _feature_effects(served: Mapping[str, FeatureType], after: ModelConfiguration) -> Iterator[Effect]:
    declared = {name: feature.type for name, feature in after.features.items()}
    for name, kind in kept_for_serving(declared, served).items():
        until = f"the serving version reads {name!r} as {kind}: so it is taken and kept until another version serves"
        if name in declared:
            yield Effect(code="feature_type_changed", message=f"{until}, which is trained on it as {declared[name]}")
        else:
            yield Effect(code="feature_removed", message=f"{until}, which is trained without it")
    for name in sorted(declared.keys() - served.keys()):
        message = f"the serving version does not read {name!r}; the next one that is trained does"
        yield Effect(code="feature_added", message=message)


def _differences(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            yield from _differences(f"{path}.{name}" if path else name, before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{path}[{position}]", old, new)
    elif before != after:
        yield Difference(path=path, before=before, after=after)
