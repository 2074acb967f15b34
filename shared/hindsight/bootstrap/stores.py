"""The ports of a deployment: its tables, lake, queues, bus and machines, each built once in the life of the process.

Nothing imported here needs numpy, so that capture and join start without it.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from hindsight.adapters.aws.api_keys import ApiGatewayKeys
from hindsight.adapters.aws.event_bus import EventBridgeAnnouncements
from hindsight.adapters.aws.feedback_stream import FirehoseFeedback
from hindsight.adapters.aws.metric_sink import CloudWatchMetrics
from hindsight.adapters.aws.queue import SqsQueue
from hindsight.adapters.aws.s3_lake import S3Lake
from hindsight.adapters.aws.state_machine import StepFunctions
from hindsight.adapters.aws.token_secret import SecretsManagerKeys
from hindsight.adapters.jobs_table.job_table import DynamoJobs
from hindsight.adapters.jobs_table.relabel_table import DynamoRelabels
from hindsight.adapters.models_table.approval_table import DynamoApprovals, DynamoTrainingRequests
from hindsight.adapters.models_table.check_table import DynamoChecks
from hindsight.adapters.models_table.configuration_table import DynamoConfigurations
from hindsight.adapters.models_table.evaluation_table import DynamoEvaluationStore
from hindsight.adapters.models_table.key_digests import DynamoKeyDigests
from hindsight.adapters.models_table.member_table import DynamoMembers
from hindsight.adapters.models_table.new_label_table import DynamoNewLabels
from hindsight.adapters.models_table.registry_table import DynamoRegistry
from hindsight.adapters.models_table.selection_table import DynamoSelection
from hindsight.adapters.models_table.trigger_table import DynamoTriggers
from hindsight.adapters.predictions_table.allowance_table import DynamoAllowances
from hindsight.adapters.predictions_table.effect_table import DynamoEffects
from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.match_table import DynamoMatches
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.adapters.predictions_table.review_table import DynamoReviews
from hindsight.bootstrap import clients
from hindsight.bootstrap.settings import Capture, Deployment
from hindsight.config.features import Feature, FeatureType
from hindsight.config.store import ConfigurationRevision
from hindsight.core.recent_reads import RecentReads
from hindsight.registry.pointer import Pointer
from hindsight.registry.served_features import ServedFeatures, serving_versions
from hindsight.runtime.http.keyring import ApiKeyring, parse_key_ids
from hindsight.validation.timestamps import ClientTimestamps

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from hindsight.adapters.models_table.sequential_test_table import DynamoSequentialTests

T = TypeVar("T")
Table = Callable[[str, "DynamoDBClient"], T]


def _models_table(adapter: Table[T]) -> Callable[[], T]:
    """Build the factory of an adapter of the models table."""
    return cache(lambda: adapter(clients.settings(Deployment).models_table, clients.dynamodb()))


def _predictions_table(adapter: Table[T]) -> Callable[[], T]:
    """Build the factory of an adapter of the predictions table."""
    return cache(lambda: adapter(clients.settings(Capture).predictions_table, clients.dynamodb()))


def _queue(url: str) -> Callable[[], SqsQueue]:
    """Build the factory of a queue."""
    return cache(lambda: SqsQueue(clients.name_of(url), clients.client("sqs")))


def _state_machine(arn: str) -> Callable[[], StepFunctions]:
    """Build the factory of a state machine."""
    return cache(lambda: StepFunctions(clients.name_of(arn), clients.client("stepfunctions")))


approvals = _models_table(DynamoApprovals)
check_store = _models_table(DynamoChecks)
configurations = _models_table(DynamoConfigurations)
evaluation_store = _models_table(DynamoEvaluationStore)
job_store = _models_table(DynamoJobs)
key_digests = _models_table(DynamoKeyDigests)
member_store = _models_table(DynamoMembers)
new_label_store = _models_table(DynamoNewLabels)
registry = _models_table(DynamoRegistry)
relabel_store = _models_table(DynamoRelabels)
selection_store = _models_table(DynamoSelection)
training_requests = _models_table(DynamoTrainingRequests)
trigger_store = _models_table(DynamoTriggers)

allowances = _predictions_table(DynamoAllowances)
effects = _predictions_table(DynamoEffects)
label_store = _predictions_table(DynamoLabels)
match_store = _predictions_table(DynamoMatches)
prediction_store = _predictions_table(DynamoPredictions)
review_tasks = _predictions_table(DynamoReviews)

erasure_queue = _queue("erasure_queue_url")
feedback_queue = _queue("feedback_queue_url")
import_queue = _queue("import_queue_url")
replay_queue = _queue("replay_queue_url")

state_machine = _state_machine("state_machine_arn")
relabelling_state_machine = _state_machine("relabelling_state_machine_arn")


@cache
def announcements() -> EventBridgeAnnouncements:
    """Build the publisher of announcements."""
    return EventBridgeAnnouncements(clients.name_of("event_bus"), clients.client("events"))


@cache
def api_keyring() -> ApiKeyring:
    """Build the keyring of the API keys by audience."""
    key_ids, values = parse_key_ids(clients.name_of("audience_keys")), clients.impatient_client("apigateway")
    return ApiKeyring(key_ids, key_digests(), ApiGatewayKeys(values))


def client_timestamps() -> ClientTimestamps:
    """Read how far the deployment trusts the times that clients send."""
    return clients.settings(Deployment).client_timestamps


@cache
def feedback_stream() -> FirehoseFeedback:
    """Build the stream that makes feedback durable."""
    return FirehoseFeedback(clients.settings(Capture).feedback_stream, clients.client("firehose"))


@cache
def recent_configurations() -> RecentReads[ConfigurationRevision]:
    """Build the reads of configurations on an app's calls, by model."""
    return RecentReads(configurations().current, time.time)


@cache
def recent_pointers() -> RecentReads[Pointer | None]:
    """Build the reads of serving pointers on an app's calls, by model."""
    return RecentReads(registry().pointer, time.time)


@cache
def served_features() -> ServedFeatures:
    """Build the reader of what versions read."""
    return ServedFeatures(registry(), configurations())


def served_now(model: str) -> Mapping[str, FeatureType]:
    """Find what the versions read that serve now."""
    return served_features().of(model, recent_pointers()(model))


def served_definitions(model: str) -> Mapping[str, Feature]:
    """Find the features that the versions read which serve now, as they were declared."""
    return served_features().definitions(model, serving_versions(recent_pointers()(model)))


@cache
def lake() -> S3Lake:
    """Build the lake."""
    return S3Lake(clients.settings(Deployment).lake_bucket, clients.s3())


@cache
def metric_sink() -> CloudWatchMetrics:
    """Build the sink of measurements."""
    return CloudWatchMetrics(clients.name_of("powertools_metrics_namespace"), clients.client("cloudwatch"))


@cache
def sequential_tests() -> "DynamoSequentialTests":
    """Build the store of sequential tests; only what counts labels pays for importing it."""
    from hindsight.adapters.models_table.sequential_test_table import DynamoSequentialTests  # noqa: PLC0415  needs numpy

    return DynamoSequentialTests(clients.settings(Deployment).models_table, clients.dynamodb())


@cache
def token_keys() -> SecretsManagerKeys:
    """Build the keys of feedback tokens; they are read only where a model requires tokens."""
    return SecretsManagerKeys(clients.settings(Capture).token_secret, clients.client("secretsmanager"))
