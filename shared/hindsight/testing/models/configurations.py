"""Configurations in memory."""

from datetime import UTC, datetime

from hindsight.config.model import ModelConfiguration
from hindsight.config.store import (
    ConfigurationRevision,
    Retirement,
    SentDocument,
    StoredConfiguration,
    canonical_document,
    completed,
)
from hindsight.core.errors import ModelRetired, NotFound

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class InMemoryConfigurations:
    """Revisions in a dictionary."""

    def __init__(self, *configurations: ModelConfiguration) -> None:
        self._revisions: dict[str, list[StoredConfiguration]] = {}
        self._retired: dict[str, Retirement] = {}
        for configuration in configurations:
            self._append(configuration, BEGINNING, None)

    def current(self, model: str) -> ConfigurationRevision:
        found = self.newest(model)
        if model in self._retired:
            raise ModelRetired(f"the model {model!r} was retired at {self._retired[model].at}")
        return found

    def newest(self, model: str) -> ConfigurationRevision:
        found = self.stored(model)
        return ConfigurationRevision(found.revision, found.configuration)

    def revision(self, model: str, revision: int) -> ConfigurationRevision:
        found = self.stored(model, revision)
        return ConfigurationRevision(found.revision, found.configuration)

    def stored(self, model: str, revision: int | None = None) -> StoredConfiguration:
        revisions = self._revisions.get(model)
        if not revisions:
            raise NotFound(f"the model {model!r} does not exist")
        if revision is not None and not 0 < revision <= len(revisions):
            raise NotFound(f"the model {model!r} has no configuration revision {revision}")
        return revisions[-1 if revision is None else revision - 1]

    def revisions(self, model: str, limit: int, before: int | None = None) -> list[StoredConfiguration]:
        newest = self.stored(model).revision
        found = self._revisions[model][: newest if before is None else max(0, before - 1)]
        return found[::-1][:limit]

    def put(self, configuration: ModelConfiguration, now: datetime, sent: SentDocument | None = None) -> int:
        self._retired.pop(configuration.model, None)
        revisions = self._revisions.get(configuration.model)
        if not revisions or revisions[-1].configuration != configuration:
            self._append(configuration, now, sent)
        return self.stored(configuration.model).revision

    def retire(self, model: str, retirement: Retirement) -> Retirement:
        self._retired[model] = completed(self.retirement(model), retirement)
        return self._retired[model]

    def retirement(self, model: str) -> Retirement | None:
        self.stored(model)
        return self._retired.get(model)

    def models(self, *, retired: bool = False) -> list[str]:
        return sorted(self._revisions.keys() - (set() if retired else self._retired.keys()))

    def _append(self, configuration: ModelConfiguration, now: datetime, sent: SentDocument | None) -> None:
        revisions = self._revisions.setdefault(configuration.model, [])
        revisions.append(
            StoredConfiguration(
                revision=len(revisions) + 1,
                created_at=now,
                sent=sent or canonical_document(configuration),
                configuration=configuration,
            )
        )
