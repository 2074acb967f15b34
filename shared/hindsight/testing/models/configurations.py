"""Configurations in memory."""

from datetime import datetime

from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationRevision
from hindsight.core.errors import NotFound


class InMemoryConfigurations:
    """Revisions in a dictionary."""

    def __init__(self, *configurations: ModelConfiguration) -> None:
        self._revisions: dict[str, list[ModelConfiguration]] = {}
        for configuration in configurations:
            self._revisions.setdefault(configuration.model, []).append(configuration)

    def current(self, model: str) -> ConfigurationRevision:
        revisions = self._revisions.get(model)
        if not revisions:
            raise NotFound(f"the model {model!r} does not exist")
        return ConfigurationRevision(len(revisions), revisions[-1])

    def revision(self, model: str, revision: int) -> ConfigurationRevision:
        if not 0 < revision <= len(self._revisions.get(model, [])):
            raise NotFound(f"the model {model!r} has no configuration revision {revision}")
        return ConfigurationRevision(revision, self._revisions[model][revision - 1])

    def put(self, configuration: ModelConfiguration, now: datetime) -> int:
        revisions = self._revisions.setdefault(configuration.model, [])
        if not revisions or revisions[-1] != configuration:
            revisions.append(configuration)
        return len(revisions)

    def models(self) -> list[str]:
        return sorted(self._revisions)
