"""The versions of a model that are monitored: the champion, and where another server answers those logged beside it."""

from datetime import datetime

from hindsight.config.model import ModelConfiguration, ServedBy
from hindsight.core.errors import NotFound
from hindsight.lake.object_store import Lake
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from hindsight.profiles.logs.hourly import WindowProfile
from hindsight.profiles.logs.logged_versions import logged_beside
from hindsight.registry.pointer import Pointer
from hindsight.registry.store import Registry


def monitored_versions(
    registry: Registry,
    lake: Lake,
    configuration: ModelConfiguration,
    predictions: WindowProfile,
    *,
    pointer: Pointer,
    now: datetime,
) -> list[MonitoredVersion]:
    """List the champion and, of a model that another server answers for, the newest versions logged beside it."""
    model, champion = configuration.model, pointer.champion
    found = [
        MonitoredVersion(
            version=champion, since=pointer.serving_since, gate_value=_gate_value(registry, configuration, champion)
        )
    ]
    if configuration.serving is not ServedBy.EXTERNAL:
        return found
    begun = now - configuration.monitoring.window
    for logged in logged_beside(lake, model, predictions, champion):
        gate_value = _gate_value(registry, configuration, logged.version)
        since = logged.first_logged_at or begun
        found.append(MonitoredVersion(version=logged.version, since=since, gate_value=gate_value, champion=champion))
    return found


def _gate_value(registry: Registry, configuration: ModelConfiguration, version: str) -> float | None:
    """Read a version's value at the gate, or the expected one, of the metric that monitoring follows."""
    try:
        return registry.version(configuration.model, version).metrics.get(configuration.performance_metric)
    except NotFound:
        return None
