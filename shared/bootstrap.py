"""The composition root: the only place that reads the environment and names ``boto3.client``.

Each function asks for the ports it needs; a port is built once in the life of the process. Nothing imported here
needs numpy, so that capture and join start without it.
"""

import os
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from shared.approvals.answers import ApprovalAnswers
from shared.approvals.override import Overrides
from shared.approvals.requests import ApprovalRequests
from shared.aws.api_keys import ApiKeyring, parse_key_ids
from shared.aws.approval_table import DynamoApprovals
from shared.aws.background import LambdaBackground
from shared.aws.check_table import DynamoChecks
from shared.aws.configuration_table import DynamoConfigurations
from shared.aws.dynamodb import back_off
from shared.aws.event_bus import EventBridgeAnnouncements
from shared.aws.feedback_stream import FirehoseFeedback
from shared.aws.job_table import DynamoJobs
from shared.aws.label_store import DynamoLabels
from shared.aws.lake import S3Lake
from shared.aws.metric_sink import CloudWatchMetrics
from shared.aws.prediction_store import DynamoPredictions
from shared.aws.queue import SqsQueue
from shared.aws.registry_table import DynamoRegistry
from shared.aws.relabel_table import DynamoRelabels
from shared.aws.review_table import DynamoReviews
from shared.aws.selection_table import DynamoSelection
from shared.aws.state_machine import StepFunctions
from shared.aws.trigger_table import DynamoTriggers
from shared.aws.waiting_tasks import StepFunctionsTasks
from shared.aws.watch_table import DynamoWatchProgress
from shared.capture.feedback_capture import FeedbackCapture
from shared.capture.imports import FileImports
from shared.capture.instance import InstanceReader
from shared.capture.prediction_log import PredictionLog
from shared.configuration.model import ModelConfiguration
from shared.datasets.verification_requests import VerificationRequests
from shared.labels.archive import Archive
from shared.labels.feedback_files import FeedbackFiles
from shared.labels.join import LabelJoiner
from shared.labels.maturing import Maturing
from shared.labels.quarantine import Quarantine
from shared.labels.quarantine_replay import QuarantineReplay, ReplayRequests
from shared.labels.quarantine_report import QuarantineReports
from shared.labels.reread import Rereader
from shared.lake import Lake
from shared.registry.expiring import Expiring
from shared.registry.recovery import RunRecovery
from shared.registry.rollback import Rollbacks
from shared.registry.serving import LoadedT, Serving
from shared.registry.version import VersionRecord
from shared.relabelling.conclusion import RelabelConclusions
from shared.relabelling.files import RelabelFiles
from shared.relabelling.requests import RelabelRequests
from shared.relabelling.under_way import RelabellingWatch
from shared.reporting.intake_reports import IntakeReports
from shared.reporting.model_reports import ModelReports
from shared.review.answers import Answers
from shared.review.leasing import Leasing
from shared.review.outbox import Outbox
from shared.review.overview import ReviewOverview
from shared.review.selection import ReviewSelection
from shared.review.tending import Tending
from shared.settings import Settings
from shared.triggers.checker import TriggerChecker
from shared.triggers.request import RetrainingRequests
from shared.triggers.sweep import TriggerSweep

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from shared.aws.fall_table import DynamoFallTests
    from shared.aws.sequential_table import DynamoSequentialTests
    from shared.fresh_process import FreshProcess
    from shared.registry.version import VersionRecord
    from shared.watching.watch import Watch

_CLIENT = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=3,
    read_timeout=30,
    # A quarter of the time of a call on a small Lambda; the adapters' types and contract suites check what is sent.
    parameter_validation=False,
)


@cache
def settings() -> Settings:
    """Return the deployment's settings."""
    return Settings(dict(os.environ))


@cache
def announcements() -> EventBridgeAnnouncements:
    """Return where announcements go."""
    return EventBridgeAnnouncements(settings().event_bus, _client("events"))


@cache
def api_keyring() -> ApiKeyring:
    """Return the API keys by audience."""
    return ApiKeyring(parse_key_ids(settings().environment["AUDIENCE_KEYS"]), _client("apigateway"))


@cache
def approval_answers() -> ApprovalAnswers:
    """Return what takes people's answers to runs that wait."""
    return ApprovalAnswers(approvals(), registry(), StepFunctionsTasks(_client("stepfunctions")))


@cache
def approval_requests() -> ApprovalRequests:
    """Return what takes the requests of runs that wait for a person."""
    return ApprovalRequests(approvals(), trigger_store(), registry(), announcements())


@cache
def approvals() -> DynamoApprovals:
    """Return what people were asked about versions."""
    return DynamoApprovals(settings().models_table, _dynamodb())


@cache
def archive() -> Archive:
    """Return the way from the table's stream to the lake."""
    return Archive(lake())


@cache
def check_store() -> DynamoChecks:
    """Return the newest checks."""
    return DynamoChecks(settings().models_table, _dynamodb())


@cache
def configurations() -> DynamoConfigurations:
    """Return the models' configurations."""
    return DynamoConfigurations(settings().models_table, _dynamodb())


@cache
def expiring() -> Expiring:
    """Return what lets go of old versions and datasets."""
    return Expiring(registry(), configurations(), lake(), settings().keep)


@cache
def feedback_capture() -> FeedbackCapture:
    """Return the door for feedback."""
    return FeedbackCapture(feedback_stream(), settings().client_timestamps)


@cache
def feedback_stream() -> FirehoseFeedback:
    """Return where feedback becomes durable."""
    return FirehoseFeedback(settings().feedback_stream, _client("firehose"))


def instance_reader(configuration: ModelConfiguration, now: datetime) -> InstanceReader:
    """Return what checks the instances of one call."""
    return InstanceReader(configuration, now, settings().client_timestamps, new_id=lambda: str(uuid.uuid4()))


@cache
def feedback_files() -> FeedbackFiles:
    """Return what joins feedback files."""
    return FeedbackFiles(lake(), label_joiner(), quarantine(), configurations())


@cache
def file_imports() -> FileImports:
    """Return what imports files."""
    return FileImports(lake(), job_store(), quarantine(), configurations(), prediction_log(), feedback_capture())


@cache
def import_queue() -> SqsQueue:
    """Return the queue of files to import."""
    return SqsQueue(settings().import_queue_url, _client("sqs"))


@cache
def intake_reports() -> IntakeReports:
    """Return what operators read of imports and replays."""
    return IntakeReports(configurations(), job_store())


@cache
def job_store() -> DynamoJobs:
    """Return the imports and replays."""
    return DynamoJobs(settings().models_table, _dynamodb())


@cache
def label_joiner() -> LabelJoiner:
    """Return what joins feedback onto predictions."""
    return LabelJoiner(label_store(), quarantine(), configurations(), pause=back_off)


@cache
def label_store() -> DynamoLabels:
    """Return the predictions with their feedback and labels."""
    return DynamoLabels(settings().predictions_table, _dynamodb())


@cache
def fall_tests() -> "DynamoFallTests":
    """Return the tests of live performance; only what monitors pays for importing them."""
    from shared.aws.fall_table import DynamoFallTests  # noqa: PLC0415  needs numpy

    return DynamoFallTests(settings().models_table, _dynamodb())


@cache
def fresh_process() -> "FreshProcess":
    """Return what tries a saved artefact in a process of its own; only what validates pays for importing it."""
    from shared.fresh_process import FreshProcess  # noqa: PLC0415  needs numpy

    return FreshProcess(settings().environment)


@cache
def lake() -> S3Lake:
    """Return the lake."""
    return S3Lake(settings().lake_bucket, _s3())


@cache
def maturing() -> Maturing:
    """Return what lets the clock change labels."""
    return Maturing(label_store(), label_joiner(), configurations())


@cache
def metric_sink() -> CloudWatchMetrics:
    """Return where measurements go."""
    return CloudWatchMetrics(settings().metrics_namespace, _client("cloudwatch"))


@cache
def model_reports() -> ModelReports:
    """Return what operators read of models."""
    reviews = ReviewOverview(review_tasks(), settings().client_timestamps)
    return ModelReports(
        configurations(),
        label_store(),
        check_store(),
        trigger_store(),
        registry(),
        lake(),
        reviews,
        approvals(),
        watch=watch_progress(),
    )


@cache
def overrides(require_loadable: Callable[[Lake, VersionRecord], None]) -> Overrides:
    """Return what takes overrides of the gate; how a version loads the caller knows, which has the scientific layer."""
    return Overrides(registry(), announcements(), lambda record: require_loadable(lake(), record))


@cache
def prediction_log() -> PredictionLog:
    """Return the door for predictions."""
    return PredictionLog(DynamoPredictions(settings().predictions_table, _dynamodb()), label_joiner())


@cache
def quarantine() -> Quarantine:
    """Return where rejected feedback goes."""
    return Quarantine(lake())


@cache
def quarantine_replay() -> QuarantineReplay:
    """Return what replays quarantines."""
    rereader = Rereader(
        feedback_stream(), prediction_log(), label_store(), configurations(), settings().client_timestamps
    )
    return QuarantineReplay(lake(), quarantine(), job_store(), rereader)


@cache
def quarantine_reports() -> QuarantineReports:
    """Return what operators read of quarantines."""
    return QuarantineReports(lake(), configurations())


@cache
def replay_queue() -> SqsQueue:
    """Return the queue of replays."""
    return SqsQueue(settings().replay_queue_url, _client("sqs"))


@cache
def replay_requests() -> ReplayRequests:
    """Return what takes operators' requests to replay."""
    return ReplayRequests(job_store(), configurations(), lake(), replay_queue(), settings().client_timestamps)


@cache
def registry() -> DynamoRegistry:
    """Return the versions, datasets and serving pointers."""
    return DynamoRegistry(settings().models_table, _dynamodb())


@cache
def relabel_conclusions() -> RelabelConclusions:
    """Return what concludes relabellings."""
    return RelabelConclusions(relabel_store(), configurations())


@cache
def relabel_files() -> RelabelFiles:
    """Return what relabels from raw files."""
    return RelabelFiles(lake(), label_joiner(), relabel_store(), configurations())


@cache
def relabel_requests() -> RelabelRequests:
    """Return what takes requests to relabel."""
    return RelabelRequests(relabel_store(), relabelling_state_machine(), configurations(), settings().client_timestamps)


@cache
def relabelling_state_machine() -> StepFunctions:
    """Return the relabelling state machine."""
    return StepFunctions(settings().relabelling_state_machine_arn, _client("stepfunctions"))


@cache
def relabel_store() -> DynamoRelabels:
    """Return the relabellings."""
    return DynamoRelabels(settings().models_table, _dynamodb())


@cache
def retraining_requests() -> RetrainingRequests:
    """Return what takes persons' requests to retrain."""
    return RetrainingRequests(trigger_checker(), settings().client_timestamps)


@cache
def review_selection() -> ReviewSelection:
    """Return what picks predictions for review."""
    return ReviewSelection(configurations(), selection_store(), review_tasks(), settings().client_timestamps)


@cache
def rollbacks(require_loadable: Callable[[VersionRecord], None]) -> Rollbacks:
    """Return what takes champions back; loading comes from the caller, since it needs the scientific layer."""
    return Rollbacks(
        registry=registry(),
        configurations=configurations(),
        back_off=trigger_store(),
        announcements=announcements(),
        trust=settings().client_timestamps,
        require_loadable=require_loadable,
    )


@cache
def selection_store() -> DynamoSelection:
    """Return what the draws for review depend on."""
    return DynamoSelection(settings().models_table, _dynamodb())


@cache
def review_answers() -> Answers:
    """Return what takes reviewers' answers."""
    return Answers(review_tasks(), label_store(), review_outbox())


@cache
def review_leasing() -> Leasing:
    """Return what hands out review tasks."""
    return Leasing(review_tasks(), label_store(), settings().client_timestamps)


@cache
def review_outbox() -> Outbox:
    """Return what makes feedback of settled review tasks."""
    return Outbox(review_tasks(), feedback_stream())


@cache
def review_tasks() -> DynamoReviews:
    """Return the review tasks."""
    return DynamoReviews(settings().predictions_table, _dynamodb())


@cache
def review_tending() -> Tending:
    """Return what the clock does to review tasks."""
    return Tending(review_tasks(), review_outbox(), configurations())


@cache
def run_recovery() -> RunRecovery:
    """Return what ends runs whose execution could not."""
    return RunRecovery(trigger_store(), registry(), announcements())


@cache
def sequential_tests() -> "DynamoSequentialTests":
    """Return the tests of trials and probations; only what watches pays for importing them."""
    from shared.aws.sequential_table import DynamoSequentialTests  # noqa: PLC0415  needs numpy

    return DynamoSequentialTests(settings().models_table, _dynamodb())


@cache
def serving(load: Callable[[Lake, str, str], LoadedT]) -> Serving[LoadedT]:
    """Return what serves; ``load`` comes from the caller, since it needs the scientific layer."""
    return Serving(registry(), lambda named: load(lake(), named.artifact_key, named.artifact_digest))


@cache
def state_machine() -> StepFunctions:
    """Return the retraining state machine."""
    return StepFunctions(settings().state_machine_arn, _client("stepfunctions"))


@cache
def trigger_checker() -> TriggerChecker:
    """Return what decides on one model's retraining."""
    return TriggerChecker(
        store=trigger_store(),
        checks=check_store(),
        configurations=configurations(),
        registry=registry(),
        lake=lake(),
        machine=state_machine(),
        relabelling=RelabellingWatch(relabel_store(), relabelling_state_machine()),
    )


@cache
def trigger_store() -> DynamoTriggers:
    """Return the trigger states and decisions."""
    return DynamoTriggers(settings().models_table, _dynamodb())


@cache
def trigger_sweep() -> TriggerSweep:
    """Return what checks the triggers of many models."""
    return TriggerSweep(trigger_checker(), settings().client_timestamps)


@cache
def verification_requests() -> VerificationRequests:
    """Return what takes requests to verify datasets."""
    work = LambdaBackground(settings().verify_function, _client("lambda"))
    return VerificationRequests(lake(), registry(), configurations(), work)


@cache
def watch(require_loadable: "Callable[[VersionRecord], None]") -> "Watch":
    """Return what watches trials and probations; ``require_loadable`` comes from the caller, it needs the layer too."""
    from shared.watching.consequences import Consequences  # noqa: PLC0415
    from shared.watching.model_watch import ModelWatch  # noqa: PLC0415  needs numpy
    from shared.watching.watch import Watch  # noqa: PLC0415

    progress, triggers = watch_progress(), trigger_store()
    of_model = ModelWatch(
        registry=registry(),
        lake=lake(),
        tests=sequential_tests(),
        progress=progress,
        require_loadable=require_loadable,
    )
    consequences = Consequences(
        registry=registry(), triggers=triggers, announcements=announcements(), progress=progress
    )
    return Watch(configurations=configurations(), registry=registry(), of_model=of_model, consequences=consequences)


@cache
def watch_progress() -> DynamoWatchProgress:
    """Return how far the watch has come."""
    return DynamoWatchProgress(settings().models_table, _dynamodb())


def reset() -> None:
    """Forget every port and client, so that a test starts with its own environment."""
    for port in list(globals().values()):
        if hasattr(port, "cache_clear"):
            port.cache_clear()


def _dynamodb() -> "DynamoDBClient":
    client: DynamoDBClient = _client("dynamodb")
    return client


@cache
def _s3() -> "S3Client":
    # A link is signed for its host: the global endpoint would redirect it to the region's, where it holds no longer.
    # Newer regions take no older signature. An endpoint that is not AWS's has no names for buckets.
    environment = settings().environment
    is_foreign = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    regional = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if is_foreign else "virtual", "us_east_1_regional_endpoint": "regional"},
    )
    return boto3.client("s3", config=_CLIENT.merge(regional))


@cache
def _client(service: str) -> Any:
    return boto3.client(service, config=_CLIENT)  # type: ignore[call-overload]
