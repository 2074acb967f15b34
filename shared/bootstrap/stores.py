"""The ports of a deployment: its tables, lake, queues, bus and machines, each built once in the life of the process.

Nothing imported here needs numpy, so that capture and join start without it.
"""

import time
from functools import cache
from typing import TYPE_CHECKING

from shared.aws.api_keys import ApiGatewayKeys
from shared.aws.approval_table import DynamoApprovals
from shared.aws.check_table import DynamoChecks
from shared.aws.configuration_table import DynamoConfigurations
from shared.aws.event_bus import EventBridgeAnnouncements
from shared.aws.feedback_stream import FirehoseFeedback
from shared.aws.job_table import DynamoJobs
from shared.aws.key_digests import DynamoKeyDigests
from shared.aws.label_store import DynamoLabels
from shared.aws.lake import S3Lake
from shared.aws.member_table import DynamoMembers
from shared.aws.metric_sink import CloudWatchMetrics
from shared.aws.new_label_table import DynamoNewLabels
from shared.aws.queue import SqsQueue
from shared.aws.registry_table import DynamoRegistry
from shared.aws.relabel_table import DynamoRelabels
from shared.aws.review_table import DynamoReviews
from shared.aws.selection_table import DynamoSelection
from shared.aws.state_machine import StepFunctions
from shared.aws.token_secret import SecretsManagerKeys
from shared.aws.trigger_table import DynamoTriggers
from shared.aws.watch_table import DynamoWatchProgress
from shared.bootstrap import clients
from shared.configuration.store import ConfigurationRevision
from shared.http.keyring import ApiKeyring, parse_key_ids
from shared.recent_reads import RecentReads

if TYPE_CHECKING:
    from shared.aws.fall_table import DynamoFallTests
    from shared.aws.sequential_table import DynamoSequentialTests


@cache
def announcements() -> EventBridgeAnnouncements:
    """Return where announcements go."""
    return EventBridgeAnnouncements(clients.settings().event_bus, clients.client("events"))


@cache
def api_keyring() -> ApiKeyring:
    """Return the API keys by audience."""
    return ApiKeyring(
        parse_key_ids(clients.settings().environment["AUDIENCE_KEYS"]),
        DynamoKeyDigests(clients.settings().models_table, clients.dynamodb()),
        ApiGatewayKeys(clients.impatient_client("apigateway")),
    )


@cache
def approvals() -> DynamoApprovals:
    """Return what people were asked about versions."""
    return DynamoApprovals(clients.settings().models_table, clients.dynamodb())


@cache
def check_store() -> DynamoChecks:
    """Return the newest checks."""
    return DynamoChecks(clients.settings().models_table, clients.dynamodb())


@cache
def configurations() -> DynamoConfigurations:
    """Return the models' configurations."""
    return DynamoConfigurations(clients.settings().models_table, clients.dynamodb())


@cache
def fall_tests() -> "DynamoFallTests":
    """Return the tests of live performance; only what monitors pays for importing them."""
    from shared.aws.fall_table import DynamoFallTests  # noqa: PLC0415  needs numpy

    return DynamoFallTests(clients.settings().models_table, clients.dynamodb())


@cache
def feedback_stream() -> FirehoseFeedback:
    """Return where feedback becomes durable."""
    return FirehoseFeedback(clients.settings().feedback_stream, clients.client("firehose"))


@cache
def recent_configurations() -> RecentReads[ConfigurationRevision]:
    """Build the reads of configurations on an app's calls, by model."""
    return RecentReads(configurations().current, time.time)


@cache
def feedback_queue() -> SqsQueue:
    """Build the queue of feedback files to join."""
    return SqsQueue(clients.settings().feedback_queue_url, clients.client("sqs"))


@cache
def import_queue() -> SqsQueue:
    """Return the queue of files to import."""
    return SqsQueue(clients.settings().import_queue_url, clients.client("sqs"))


@cache
def job_store() -> DynamoJobs:
    """Return the imports and replays."""
    return DynamoJobs(clients.settings().models_table, clients.dynamodb())


@cache
def label_store() -> DynamoLabels:
    """Return the predictions with their feedback and labels."""
    return DynamoLabels(clients.settings().predictions_table, clients.dynamodb())


@cache
def lake() -> S3Lake:
    """Return the lake."""
    return S3Lake(clients.settings().lake_bucket, clients.s3())


@cache
def member_store() -> DynamoMembers:
    """Build the index of datasets' rows."""
    return DynamoMembers(clients.settings().models_table, clients.dynamodb())


@cache
def metric_sink() -> CloudWatchMetrics:
    """Return where measurements go."""
    return CloudWatchMetrics(clients.settings().metrics_namespace, clients.client("cloudwatch"))


@cache
def new_label_store() -> DynamoNewLabels:
    """Build the store of new labels."""
    return DynamoNewLabels(clients.settings().models_table, clients.dynamodb())


@cache
def registry() -> DynamoRegistry:
    """Return the versions, datasets and serving pointers."""
    return DynamoRegistry(clients.settings().models_table, clients.dynamodb())


@cache
def relabel_store() -> DynamoRelabels:
    """Return the relabellings."""
    return DynamoRelabels(clients.settings().models_table, clients.dynamodb())


@cache
def relabelling_state_machine() -> StepFunctions:
    """Return the relabelling state machine."""
    return StepFunctions(clients.settings().relabelling_state_machine_arn, clients.client("stepfunctions"))


@cache
def erasure_queue() -> SqsQueue:
    """Return where erasures wait."""
    return SqsQueue(clients.settings().erasure_queue_url, clients.client("sqs"))


@cache
def replay_queue() -> SqsQueue:
    """Return the queue of replays."""
    return SqsQueue(clients.settings().replay_queue_url, clients.client("sqs"))


@cache
def review_tasks() -> DynamoReviews:
    """Return the review tasks."""
    return DynamoReviews(clients.settings().predictions_table, clients.dynamodb())


@cache
def selection_store() -> DynamoSelection:
    """Return what the draws for review depend on."""
    return DynamoSelection(clients.settings().models_table, clients.dynamodb())


@cache
def sequential_tests() -> "DynamoSequentialTests":
    """Return the tests of trials and probations; only what watches pays for importing them."""
    from shared.aws.sequential_table import DynamoSequentialTests  # noqa: PLC0415  needs numpy

    return DynamoSequentialTests(clients.settings().models_table, clients.dynamodb())


@cache
def state_machine() -> StepFunctions:
    """Return the retraining state machine."""
    return StepFunctions(clients.settings().state_machine_arn, clients.client("stepfunctions"))


@cache
def token_keys() -> SecretsManagerKeys:
    """Return the keys of feedback tokens; they are read only where a model requires tokens."""
    return SecretsManagerKeys(clients.settings().token_secret, clients.client("secretsmanager"))


@cache
def trigger_store() -> DynamoTriggers:
    """Return the trigger states and decisions."""
    return DynamoTriggers(clients.settings().models_table, clients.dynamodb())


@cache
def watch_progress() -> DynamoWatchProgress:
    """Return how far the watch has come."""
    return DynamoWatchProgress(clients.settings().models_table, clients.dynamodb())
