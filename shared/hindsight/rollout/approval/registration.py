"""The registration of versions that were made elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hindsight.config.metrics import METRICS_BY_TASK, Metric
from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationStore
from hindsight.config.types import Number
from hindsight.core.errors import Conflict, InvalidInput
from hindsight.registry.external_version import external_version, is_bare
from hindsight.registry.store import Registry
from hindsight.registry.version import VersionRecord
from hindsight.validation.items import Identifier, RequestItem, parse_item


class RegistrationRequest(RequestItem):
    """The body of a request: the version's name, what it is, and what it is expected to reach live, by metric."""

    version: Identifier
    description: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    expected: Annotated[dict[str, Number], Field(max_length=50)] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrations:
    """The register of versions that were made elsewhere."""

    registry: Registry
    configurations: ConfigurationStore

    def take(self, model: str, body: object, now: datetime) -> VersionRecord:
        """Register a version; the same again finds it. What is known of an adopted one is added, once.

        Raises InvalidInput with the path at fault, NotFound for an unknown model, Conflict where the name is another
        version's.
        """
        request = parse_item(RegistrationRequest, body, "")
        revision = self.configurations.current(model)
        expected = _known(request, revision.configuration)
        notes = () if request.description is None else (request.description,)
        record = external_version(request.version, revision.revision, now, expected, notes)
        known = revision.configuration.model
        stored = self.registry.put_version(known, record)
        if is_bare(stored):
            described = record.replace(
                created_at=stored.created_at, configuration_revision=stored.configuration_revision
            )
            stored = self.registry.describe_version(known, stored, described)
        if (stored.candidate, stored.metrics, stored.notes) != (record.candidate, record.metrics, record.notes):
            raise Conflict(f"the version {request.version!r} is there already, and is another one")
        return stored


def _known(request: RegistrationRequest, configuration: ModelConfiguration) -> dict[str, float | None]:
    """Read the expected values of metrics of the model's task. Raises InvalidInput with the path at fault."""
    allowed = {str(metric): metric for metric in METRICS_BY_TASK[configuration.task]}
    for name, value in request.expected.items():
        if name not in allowed:
            raise InvalidInput.at(f"expected.{name}", f"is no metric of a {configuration.task} model")
        low, high = Metric(name).bounds
        if not low <= value <= high:
            raise InvalidInput.at(f"expected.{name}", f"must lie from {low} to {high}")
    return dict(request.expected)
