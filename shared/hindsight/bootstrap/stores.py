"""The ports of a deployment: its tables, lake, queues, bus and machines, each built once in the life of the process.

Nothing imported here needs numpy, so that capture and join start without it.
"""

import time
from functools import cache
from typing import TYPE_CHECKING

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
from hindsight.adapters.models_table.approval_table import DynamoApprovals
from hindsight.adapters.models_table.check_table import DynamoChecks
from hindsight.adapters.models_table.configuration_table import DynamoConfigurations
from hindsight.adapters.models_table.evaluation_table import DynamoEvaluationStore
from hindsight.adapters.models_table.key_digests import DynamoKeyDigests
from hindsight.adapters.models_table.member_table import DynamoMembers
from hindsight.adapters.models_table.new_label_table import DynamoNewLabels
from hindsight.adapters.models_table.registry_table import DynamoRegistry
from hindsight.adapters.models_table.selection_table import DynamoSelection
from hindsight.adapters.models_table.trigger_table import DynamoTriggers
from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.review_table import DynamoReviews
from hindsight.bootstrap import clients
from hindsight.bootstrap.settings import (
    Audiences,
    Capture,
    Deployment,
    ErasureQueue,
    EventBus,
    FeedbackQueue,
    ImportQueue,
    Observation,
    Relabelling,
    ReplayQueue,
    Retraining,
)
from hindsight.config.store import ConfigurationRevision
from hindsight.core.recent_reads import RecentReads
from hindsight.runtime.http.keyring import ApiKeyring, parse_key_ids
from hindsight.validation.timestamps import ClientTimestamps

if TYPE_CHECKING:
    from hindsight.adapters.models_table.sequential_test_table import DynamoSequentialTests


@cache
def announcements() -> EventBridgeAnnouncements:
    """Build the publisher of announcements."""
    return EventBridgeAnnouncements(clients.settings(EventBus).event_bus, clients.client("events"))


@cache
def api_keyring() -> ApiKeyring:
    """Build the keyring of API keys by audience."""
    return ApiKeyring(
        parse_key_ids(clients.settings(Audiences).audience_keys),
        DynamoKeyDigests(clients.settings(Deployment).models_table, clients.dynamodb()),
        ApiGatewayKeys(clients.impatient_client("apigateway")),
    )


@cache
def approvals() -> DynamoApprovals:
    """Build the store of approvals."""
    return DynamoApprovals(clients.settings(Deployment).models_table, clients.dynamodb())


@cache
def check_store() -> DynamoChecks:
    """Build the store of the newest checks."""
    return DynamoChecks(clients.settings(Deployment).models_table, clients.dynamodb())


def client_timestamps() -> ClientTimestamps:
    """Read how far the deployment trusts the times that clients send."""
    return clients.settings(Deployment).client_timestamps


@cache
def configurations() -> DynamoConfigurations:
    """Build the store of the models' configurations."""
    return DynamoConfigurations(clients.settings(Deployment).models_table, clients.dynamodb())


@cache
def feedback_stream() -> FirehoseFeedback:
    """Build the stream that makes feedback durable."""
    return FirehoseFeedback(clients.settings(Capture).feedback_stream, clients.client("firehose"))


@cache
def recent_configurations() -> RecentReads[ConfigurationRevision]:
    """Build the reads of configurations on an app's calls, by model."""
    return RecentReads(configurations().current, time.time)


@cache
def feedback_queue() -> SqsQueue:
    """Build the queue of feedback files to join."""
    return SqsQueue(clients.settings(FeedbackQueue).feedback_queue_url, clients.client("sqs"))


@cache
def import_queue() -> SqsQueue:
    """Build the queue of files to import."""
    return SqsQueue(clients.settings(ImportQueue).import_queue_url, clients.client("sqs"))


@cache
def job_store() -> DynamoJobs:
    """Build the store of jobs."""
    return DynamoJobs(clients.settings(Deployment).models_table, clients.dynamodb())


@cache
def label_store() -> DynamoLabels:
    """Build the store of predictions with their feedback and labels."""
    return DynamoLabels(clients.settings(Capture).predictions_table, clients.dynamodb())


@cache
def lake() -> S3Lake:
    """Build the lake."""
    return S3Lake(clients.settings(Deployment).lake_bucket, clients.s3())


@cache
def member_store() -> DynamoMembers:
    """Build the index of datasets' rows."""
    return DynamoMembers(clients.settings(Deployment).models_table, clients.dynamodb())


@cache
def metric_sink() -> CloudWatchMetrics:
    """Build the sink of measurements."""
    return CloudWatchMetrics(clients.settings(Observation).powertools_metrics_namespace, clients.client("cloudwatch"))


@cache
def new_label_store() -> DynamoNewLabels:
    """Build the store of new labels."""
    return DynamoNewLabels(clients.settings(Deployment).models_table, clients.dynamodb())


@cache
def registry() -> DynamoRegistry:
    """Build the store of versions, datasets and serving pointers."""
    return DynamoRegistry(clients.settings(Deployment).models_table, clients.dynamodb())


@cache
def relabel_store() -> DynamoRelabels:
    """Build the store of relabellings."""
    return DynamoRelabels(clients.settings(Deployment).models_table, clients.dynamodb())


@cache
def relabelling_state_machine() -> StepFunctions:
    """Build the relabelling state machine."""
    return StepFunctions(clients.settings(Relabelling).relabelling_state_machine_arn, clients.client("stepfunctions"))


@cache
def erasure_queue() -> SqsQueue:
    """Build the queue of erasures."""
    return SqsQueue(clients.settings(ErasureQueue).erasure_queue_url, clients.client("sqs"))


@cache
def replay_queue() -> SqsQueue:
    """Build the queue of replays."""
    return SqsQueue(clients.settings(ReplayQueue).replay_queue_url, clients.client("sqs"))


@cache
def review_tasks() -> DynamoReviews:
    """Build the store of review tasks."""
    return DynamoReviews(clients.settings(Capture).predictions_table, clients.dynamodb())


@cache
def selection_store() -> DynamoSelection:
    """Build the store of the review samplers' states."""
    return DynamoSelection(clients.settings(Deployment).models_table, clients.dynamodb())


@cache
def sequential_tests() -> "DynamoSequentialTests":
    """Build the store of sequential tests; only what counts labels pays for importing it."""
    from hindsight.adapters.models_table.sequential_test_table import DynamoSequentialTests  # noqa: PLC0415  needs numpy

    return DynamoSequentialTests(clients.settings(Deployment).models_table, clients.dynamodb())


@cache
def state_machine() -> StepFunctions:
    """Build the retraining state machine."""
    return StepFunctions(clients.settings(Retraining).state_machine_arn, clients.client("stepfunctions"))


@cache
def token_keys() -> SecretsManagerKeys:
    """Build the keys of feedback tokens; they are read only where a model requires tokens."""
    return SecretsManagerKeys(clients.settings(Capture).token_secret, clients.client("secretsmanager"))


@cache
def trigger_store() -> DynamoTriggers:
    """Build the store of trigger states and decisions."""
    return DynamoTriggers(clients.settings(Deployment).models_table, clients.dynamodb())


@cache
def evaluation_store() -> DynamoEvaluationStore:
    """Build the store of rollout evaluations."""
    return DynamoEvaluationStore(clients.settings(Deployment).models_table, clients.dynamodb())
