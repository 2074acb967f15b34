"""What a function's environment tells it, read once and typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from hindsight.registry.version_retention import Keep
from hindsight.validation.timestamps import ClientTimestamps


class MissingSetting(KeyError):
    """The function needs an environment variable that its deployment does not give."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the deployment; a name that is absent raises MissingSetting when it is first needed."""

    environment: Mapping[str, str]

    @property
    def predictions_table(self) -> str:
        """Name of the DynamoDB table of predictions."""
        return self._required("PREDICTIONS_TABLE")

    @property
    def models_table(self) -> str:
        """Name of the DynamoDB table of models."""
        return self._required("MODELS_TABLE")

    @property
    def lake_bucket(self) -> str:
        """Name of the lake's bucket."""
        return self._required("LAKE_BUCKET")

    @property
    def feedback_stream(self) -> str:
        """Name of the Firehose stream that takes feedback."""
        return self._required("FEEDBACK_STREAM")

    @property
    def feedback_queue_url(self) -> str:
        """URL of the queue of feedback files to join."""
        return self._required("FEEDBACK_QUEUE_URL")

    @property
    def import_queue_url(self) -> str:
        """URL of the queue of files to import."""
        return self._required("IMPORT_QUEUE_URL")

    @property
    def replay_queue_url(self) -> str:
        """URL of the queue of replays."""
        return self._required("REPLAY_QUEUE_URL")

    @property
    def erasure_queue_url(self) -> str:
        """URL of the queue of erasures."""
        return self._required("ERASURE_QUEUE_URL")

    @property
    def erasure_second_pass(self) -> timedelta:
        """How long an erasure waits for what was on its way when it began."""
        return timedelta(minutes=int(self._required("ERASURE_SECOND_PASS_MINUTES")))

    @property
    def consumer_concurrency(self) -> int:
        """How many invocations may work off one queue, or one relabelling, at once."""
        return int(self._required("CONSUMER_CONCURRENCY"))

    @property
    def state_machine_arn(self) -> str:
        """ARN of the retraining state machine."""
        return self._required("STATE_MACHINE_ARN")

    @property
    def relabelling_state_machine_arn(self) -> str:
        """ARN of the relabelling state machine."""
        return self._required("RELABELLING_STATE_MACHINE_ARN")

    @property
    def verify_function(self) -> str:
        """Name of the function that verifies datasets."""
        return self._required("VERIFY_FUNCTION")

    @property
    def database(self) -> str:
        """Name of the Glue database of the lake's tables."""
        return self._required("DATABASE")

    @property
    def token_secret(self) -> str:
        """ARN of the secret that makes feedback tokens; without one there are no tokens."""
        return self.environment.get("TOKEN_SECRET", "")

    @property
    def event_bus(self) -> str:
        """Name of the bus that announcements go to."""
        return self._required("EVENT_BUS")

    @property
    def keep(self) -> Keep:
        """Which versions and datasets are kept."""
        return Keep(
            newest=int(self._required("MODEL_VERSIONS_TO_KEEP")),
            age=timedelta(days=int(self._required("MODEL_VERSION_RETENTION_DAYS"))),
        )

    @property
    def metrics_namespace(self) -> str:
        """CloudWatch namespace of the deployment's metrics."""
        return self._required("POWERTOOLS_METRICS_NAMESPACE")

    @property
    def code_version(self) -> str:
        """What code produced a version, for its lineage."""
        return self.environment.get("CODE_VERSION", "unversioned")

    @property
    def client_timestamps(self) -> ClientTimestamps:
        """How far clients' clocks are believed."""
        return ClientTimestamps(self.environment.get("CLIENT_TIMESTAMPS", ClientTimestamps.BOUNDED))

    def _required(self, name: str) -> str:
        try:
            return self.environment[name]
        except KeyError as error:
            raise MissingSetting(f"the environment variable {name} is not set") from error
