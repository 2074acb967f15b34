"""Configurations in memory."""

from dataclasses import replace
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
from hindsight.core.errors import Conflict, ModelRetired, NotFound

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class InMemoryConfigurations:
    """Revisions in a dictionary."""

    def __init__(self, *configurations: ModelConfiguration) -> None:
        self._revisions: dict[str, list[StoredConfiguration]] = {}
        self._retired: dict[str, Retirement] = {}
        self._used_up: dict[str, int] = {}
        for configuration in configurations:
            self._append(configuration, BEGINNING, None)

    def current(self, model: str) -> ConfigurationRevision:
        if model in self._retired:
            raise ModelRetired(f"the model {model!r} was retired at {self._retired[model].at}")
        return self.newest(model)

    def newest(self, model: str) -> ConfigurationRevision:
        found = self.stored(model)
        return ConfigurationRevision(found.revision, found.configuration)

    def revision(self, model: str, revision: int) -> ConfigurationRevision:
        found = self.stored(model, revision)
        return ConfigurationRevision(found.revision, found.configuration)

    def stored(self, model: str, revision: int | None = None) -> StoredConfiguration:
        retirement = self.retirement(model)
        if revision is None and retirement is not None and retirement.job_id is not None:
            raise NotFound(f"the model {model!r} is being erased, or was")
        found = [one for one in self._revisions[model] if revision in {None, one.revision}]
        if not found:
            raise NotFound(f"the model {model!r} has no configuration revision {revision}")
        return found[-1]

    def revisions(self, model: str, limit: int, before: int | None = None) -> list[StoredConfiguration]:
        newest = self.stored(model).revision
        found = [one for one in self._revisions[model] if one.revision < (newest + 1 if before is None else before)]
        return found[::-1][:limit]

    def put(self, configuration: ModelConfiguration, now: datetime, sent: SentDocument | None = None) -> int:
        retirement = self._retired.get(configuration.model)
        if retirement is not None and retirement.is_being_erased:
            raise Conflict(f"the model {configuration.model!r} is being erased")
        self._retired.pop(configuration.model, None)
        revisions = self._revisions.get(configuration.model)
        if not revisions or revisions[-1].configuration != configuration:
            self._append(configuration, now, sent)
        return self.stored(configuration.model).revision

    def retire(self, model: str, retirement: Retirement) -> Retirement:
        stored = self.retirement(model)
        if stored is not None and stored.erased_at is not None and retirement.job_id is None:
            raise NotFound(f"the model {model!r} was erased")
        self._retired[model] = completed(stored, retirement)
        return self._retired[model]

    def erase(self, model: str, erased: Retirement) -> None:
        stored = self.retirement(model)
        if stored is not None and stored.is_being_erased and stored.job_id == erased.job_id:
            self._used_up[model] = max(
                (one.revision for one in self._revisions[model]), default=stored.erased_revisions
            )
            self._revisions[model] = []
            self._retired[model] = replace(erased, erased_revisions=self._used_up[model])

    def retirement(self, model: str) -> Retirement | None:
        if model not in self._revisions:
            raise NotFound(f"the model {model!r} does not exist")
        return self._retired.get(model)

    def models(self, *, retired: bool = False) -> list[str]:
        hidden = {model for model, record in self._retired.items() if not retired or record.job_id is not None}
        return sorted(self._revisions.keys() - hidden)

    def _append(self, configuration: ModelConfiguration, now: datetime, sent: SentDocument | None) -> None:
        revisions = self._revisions.setdefault(configuration.model, [])
        revisions.append(
            StoredConfiguration(
                revision=self._used_up.get(configuration.model, 0) + len(revisions) + 1,
                at=now,
                sent=sent or canonical_document(configuration),
                configuration=configuration,
            )
        )
