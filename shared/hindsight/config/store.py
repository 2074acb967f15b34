"""Where configurations are kept, revision by revision."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hindsight.config.model import ModelConfiguration


@dataclass(frozen=True, slots=True, eq=False)
class ConfigurationRevision:
    """A configuration and its number, counted from 1; one object is one key of what is derived from it."""

    revision: int
    configuration: ModelConfiguration


class ConfigurationStore(Protocol):
    """Append-only revisions of every model's configuration."""

    def current(self, model: str) -> ConfigurationRevision:
        """Return the newest revision. Raises NotFound for an unknown model."""

    def revision(self, model: str, revision: int) -> ConfigurationRevision:
        """Return one revision. Raises NotFound."""

    def put(self, configuration: ModelConfiguration, now: datetime) -> int:
        """Store a configuration; return its revision, the current one if nothing in it changed."""

    def models(self) -> list[str]:
        """Return the names of all models, sorted."""
