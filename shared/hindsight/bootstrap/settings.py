"""The environment of the functions, typed: a small class for each purpose, read as a whole and once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, TypeVar

import msgspec

from hindsight.registry.version_retention import Keep
from hindsight.validation.timestamps import ClientTimestamps

Positive = Annotated[int, msgspec.Meta(ge=1)]


class InvalidSettings(RuntimeError):
    """The environment of a function lacks a variable, or has one with a value that it may not have."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """A part of the environment; a field is the variable of the same name in capitals."""


class Deployment(Settings, frozen=True, kw_only=True):
    """The settings that every function has."""

    models_table: str
    lake_bucket: str
    client_timestamps: ClientTimestamps = ClientTimestamps.BOUNDED
    code_version: str = "unversioned"


class Capture(Settings, frozen=True, kw_only=True):
    """The table of predictions and the stream that takes feedback; without a secret there are no feedback tokens."""

    predictions_table: str
    feedback_stream: str
    token_secret: str = ""


class Names(Settings, frozen=True, kw_only=True):
    """The names of what some functions work with; a function has those that it needs."""

    allowed_origin: str = ""
    audience_keys: str = ""
    database: str = ""
    erasure_queue_url: str = ""
    event_bus: str = ""
    feedback_queue_url: str = ""
    import_queue_url: str = ""
    powertools_metrics_namespace: str = ""
    relabelling_state_machine_arn: str = ""
    replay_queue_url: str = ""
    state_machine_arn: str = ""
    verify_function: str = ""
    export_function: str = ""


class RelabellingWorkers(Settings, frozen=True, kw_only=True):
    """The invocations that may work off one queue, or one relabelling, at once."""

    consumer_concurrency: Positive


class ErasurePasses(Settings, frozen=True, kw_only=True):
    """The delay of an erasure's second pass, which finds what was on its way during the first."""

    erasure_second_pass_minutes: Annotated[int, msgspec.Meta(ge=0)]

    @property
    def delay(self) -> timedelta:
        """The delay as a span of time."""
        return timedelta(minutes=self.erasure_second_pass_minutes)


class VersionRetention(Settings, frozen=True, kw_only=True):
    """The versions and datasets to keep."""

    model_versions_to_keep: Positive
    model_version_retention_days: Positive

    @property
    def keep(self) -> Keep:
        """The rule of retention."""
        return Keep(newest=self.model_versions_to_keep, age=timedelta(days=self.model_version_retention_days))


SettingsT = TypeVar("SettingsT", bound=Settings)


def read_settings(kind: type[SettingsT], environment: Mapping[str, str]) -> SettingsT:
    """Read and check a part of the environment. Raises InvalidSettings, which names every variable at fault.

    >>> read_settings(Capture, {"FEEDBACK_STREAM": "feedback"})
    Traceback (most recent call last):
    hindsight.bootstrap.settings.InvalidSettings: PREDICTIONS_TABLE is not set
    >>> read_settings(RelabellingWorkers, {"CONSUMER_CONCURRENCY": "many"})
    Traceback (most recent call last):
    hindsight.bootstrap.settings.InvalidSettings: Expected `int`, got `str` - at `$.CONSUMER_CONCURRENCY`
    """
    required = [field.encode_name for field in msgspec.structs.fields(kind) if field.required]
    if missing := [name for name in required if not environment.get(name)]:
        raise InvalidSettings(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set")
    try:
        return msgspec.convert(dict(environment), kind, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSettings(str(error)) from error
