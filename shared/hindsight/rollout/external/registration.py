"""The registration of versions that were made elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from hindsight.config.metrics import METRICS_BY_TASK, Metric
from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationStore
from hindsight.config.types import Number
from hindsight.core.errors import Conflict, InvalidInput, NotFound
from hindsight.lake.uploads import require_own
from hindsight.registry.external_version import external_version, is_bare
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.rollout.external.judgement import DATASET, SCORES, Judgement
from hindsight.rollout.external.stored_baseline import StoredBaselines
from hindsight.rollout.external.training_requests import TrainingAnswers
from hindsight.validation.items import Identifier, parse_item
from hindsight.validation.operator_request import TimedRequest
from hindsight.validation.timestamps import ClientTimestamps

BASELINE = "baseline_key"
_DIGEST = "scores_digest"
KeyText = Annotated[str, Field(min_length=1, max_length=900)]


class RegistrationRequest(TimedRequest):
    """The body of a request: the version's name, what it is, and what it is expected to reach live, by metric.

    With the scores of a dataset's holdout it is judged; ``baseline_key`` names the rows that drift is measured against.
    """

    version: Identifier
    description: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    expected: Annotated[dict[str, Number], Field(max_length=50)] = Field(default_factory=dict)
    dataset_id: Identifier | None = None
    holdout_scores_key: KeyText | None = None
    baseline_key: KeyText | None = None

    @property
    def as_recorded(self) -> dict[str, Any]:
        """The fields that the version's record keeps, and by which it recognises the same request."""
        return self.model_dump(exclude={"version", "occurred_at"}, exclude_defaults=True)


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered version; ``decision_id`` names the run that goes on with it, None where none waited."""

    record: VersionRecord
    decision_id: str | None

    def to_json(self) -> dict[str, Any]:
        """Show the version to the caller."""
        plain = self.record.to_plain()
        shown = {name: plain[name] for name in ("version", "created_at", "verdict")}
        return shown | ({} if self.decision_id is None else {"decision_id": self.decision_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrations:
    """The register of versions that were made elsewhere."""

    registry: Registry
    configurations: ConfigurationStore
    judgement: Judgement
    baselines: StoredBaselines
    answers: TrainingAnswers
    trust: ClientTimestamps

    def take(self, model: str, body: object, now: datetime) -> Registered:
        """Register a version, judge it by its scores, and let the run go on that waits for it.

        The same again finds the version, and does what a crash left undone. What is known of an adopted one is added,
        once. Raises InvalidInput with the path at fault,
        NotFound for an unknown model, Conflict where the name is another version's.
        """
        request = parse_item(RegistrationRequest, body, "")
        revision = self.configurations.current(model)
        name, configuration = revision.configuration.model, revision.configuration
        expected = _known(request, configuration)
        _require_complete(name, request)
        record = self._stored(name, request)
        if record is None or is_bare(record):
            at, number = request.moment(now, self.trust), revision.revision
            described = external_version(request.version, number, at, expected, request.as_recorded)
            record = self._put(name, self._completed(configuration, described, request))
        if {key: value for key, value in record.registration.items() if key != _DIGEST} != request.as_recorded:
            raise Conflict(f"the version {request.version!r} is there already, and is another one")
        return Registered(record, self._deliver(name, record))

    def _stored(self, model: str, request: RegistrationRequest) -> VersionRecord | None:
        try:
            return self.registry.version(model, request.version)
        except NotFound:
            return None

    def _put(self, model: str, record: VersionRecord) -> VersionRecord:
        """Store a version; what is there already stays, unless nothing is known of it but its name."""
        stored = self.registry.put_version(model, record)
        if not is_bare(stored):
            return stored
        return self.registry.describe_version(model, stored, record.replace(created_at=stored.created_at))

    def _completed(
        self, configuration: ModelConfiguration, record: VersionRecord, request: RegistrationRequest
    ) -> VersionRecord:
        """Add the verdict and the decision of the run that waits; a version that is recorded has its baseline."""
        model = configuration.model
        if request.dataset_id is not None and request.holdout_scores_key is not None:
            decision_id = self.answers.waiting(model, request.dataset_id) or ""
            record = self.judgement.judge(
                model, record.replace(decision_id=decision_id), request.dataset_id, request.holdout_scores_key
            )
        elif request.dataset_id is not None:
            record = record.replace(dataset_id=self._known_dataset(model, request.dataset_id))
        if request.baseline_key is not None:
            self.baselines.build(configuration, record.version, request.baseline_key, BASELINE, record.created_at)
        return record

    def _known_dataset(self, model: str, dataset_id: str) -> str:
        try:
            return self.registry.dataset(model, dataset_id).dataset_id
        except NotFound:
            raise InvalidInput.at(DATASET, "is no dataset of the model") from None

    def _deliver(self, model: str, record: VersionRecord) -> str | None:
        """Let the run go on that waits for the version; return its decision."""
        if record.verdict is Verdict.UNJUDGED or not record.decision_id:
            return None
        output = self.judgement.announced(model, record)
        is_taken = self.answers.deliver(model, record.dataset_id, record.version, output)
        return record.decision_id if is_taken else None


def _require_complete(model: str, request: RegistrationRequest) -> None:
    for path, key in ((SCORES, request.holdout_scores_key), (BASELINE, request.baseline_key)):
        if key is not None:
            require_own(model, key, path)
    if request.holdout_scores_key is not None and request.dataset_id is None:
        raise InvalidInput.at(DATASET, f"is required with {SCORES}: which holdout they are of")


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
