"""The stored configurations of models, revision by revision."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hindsight.config.model import ModelConfiguration


@dataclass(frozen=True, slots=True, eq=False)
class ConfigurationRevision:
    """A configuration and its number, counted from 1; one object is one key of what is derived from it."""

    revision: int
    configuration: ModelConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class SentDocument:
    """A configuration as an operator sent it: its text and its media type, who sent it and why, where that is known."""

    text: str
    content_type: str
    actor: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredConfiguration:
    """One revision with the document that became it. Of equal configurations sent again the first document stays."""

    revision: int
    at: datetime
    sent: SentDocument
    configuration: ModelConfiguration


def canonical_document(configuration: ModelConfiguration) -> SentDocument:
    """Write a configuration out as the JSON document that means the same, every default in it."""
    return SentDocument(text=configuration.model_dump_json(), content_type="application/json")


class ConfigurationStore(Protocol):
    """Append-only revisions of every model's configuration."""

    def current(self, model: str) -> ConfigurationRevision:
        """Read the newest revision. Raises NotFound for a model that is unknown or retired."""

    def revision(self, model: str, revision: int) -> ConfigurationRevision:
        """Read one revision. Raises NotFound."""

    def stored(self, model: str, revision: int | None = None) -> StoredConfiguration:
        """Read one revision as it was sent, the newest by default. Raises NotFound."""

    def revisions(self, model: str, limit: int, before: int | None = None) -> list[StoredConfiguration]:
        """List at most ``limit`` revisions below ``before``, the newest first. Raises NotFound for an unknown model."""

    def put(self, configuration: ModelConfiguration, now: datetime, sent: SentDocument | None = None) -> int:
        """Store a configuration; return its revision, the current one if nothing in it changed.

        Without a document its canonical JSON counts as what was sent. A retired model is in service again. Raises
        Unavailable where other writers keep being faster.
        """

    def retire(self, model: str, now: datetime) -> None:
        """Take a model out of service; its revisions stay readable. Raises NotFound for an unknown model."""

    def models(self) -> list[str]:
        """List the names of all models in service, sorted."""
