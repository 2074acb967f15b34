"""The composition of capture, joining, replays, relabelling and reviews."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial

from hindsight.adapters.dynamodb.requests import at_once, back_off
from hindsight.bootstrap import clients, stores
from hindsight.bootstrap.settings import RelabellingWorkers
from hindsight.config.features import FeatureType
from hindsight.config.model import ModelConfiguration
from hindsight.config.store import is_erased
from hindsight.ingestion.feedback_capture import FeedbackCapture
from hindsight.ingestion.imports import FileImports
from hindsight.ingestion.instance import InstanceReader
from hindsight.ingestion.prediction_log import PredictionCapture, PredictionLog
from hindsight.labels.archiving.archive import Archive
from hindsight.labels.archiving.existing_predictions import ExistingPredictions
from hindsight.labels.archiving.key_entries import KeyEntries
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.joining.entity_limit import EntityLimits
from hindsight.labels.joining.feedback_files import FeedbackFiles
from hindsight.labels.joining.feedback_join import FeedbackJoiner
from hindsight.labels.joining.join import LabelJoiner
from hindsight.labels.joining.match_requests import match_message
from hindsight.labels.joining.window_closing import WindowClosing
from hindsight.labels.matching.matcher import KeyMatcher
from hindsight.labels.relabelling.batches import worker_count
from hindsight.labels.relabelling.counting import FileCount
from hindsight.labels.relabelling.files import RelabelFiles
from hindsight.labels.relabelling.finish import RelabelConclusions
from hindsight.quarantine.store import Quarantine
from hindsight.replay.quarantine_replay import QuarantineReplay
from hindsight.replay.reread import Rereader
from hindsight.review.requests.reopenings import Reopenings
from hindsight.review.requests.requested_tasks import RequestedReviews
from hindsight.review.selection.selection import ReviewSelection
from hindsight.review.tasks.answers import Answers
from hindsight.review.tasks.expiry import ReviewExpiry
from hindsight.review.tasks.leasing import TaskLeasing
from hindsight.review.tasks.outbox import Outbox
from hindsight.review.tasks.queue import ReviewQueue


@cache
def archive() -> Archive:
    """Build the archive of the table's stream in the lake."""
    return Archive(stores.lake())


@cache
def existing_predictions() -> ExistingPredictions:
    """Build the check of late stream records against the predictions table."""
    return ExistingPredictions(stores.label_store(), clients.utc_now)


@cache
def feedback_capture() -> FeedbackCapture:
    """Build the intake of feedback."""
    return FeedbackCapture(stores.feedback_stream(), stores.client_timestamps(), stores.token_keys())


@cache
def feedback_files() -> FeedbackFiles:
    """Build the joiner of feedback files."""
    return FeedbackFiles(stores.lake(), feedback_joiner(), quarantine(), stores.configurations())


@cache
def feedback_joiner() -> FeedbackJoiner:
    """Build the joiner of feedback by any key."""
    return FeedbackJoiner(label_joiner(), key_matcher(), quarantine(), stores.configurations())


@cache
def key_entries() -> KeyEntries:
    """Build the entry of new predictions under their keys."""
    queue = stores.feedback_queue()
    return KeyEntries(key_matcher(), stores.configurations(), lambda request: queue.send(match_message(request)))


@cache
def key_matcher() -> KeyMatcher:
    """Build the matcher of events and predictions by the keys they share."""
    return KeyMatcher(stores.match_store(), side_by_side=at_once)


@cache
def file_imports() -> FileImports:
    """Build the importer of files."""
    return FileImports(
        stores.lake(),
        stores.job_store(),
        quarantine(),
        stores.configurations(),
        prediction_log(),
        feedback_capture(),
        clients.utc_now,
        stores.served_now,
    )


def instance_reader(
    configuration: ModelConfiguration, now: datetime, served: Mapping[str, FeatureType]
) -> InstanceReader:
    """Build the reader of one call's instances, which are to be read by versions that read what is ``served``."""
    trust = stores.client_timestamps()
    return InstanceReader(configuration, now, trust, new_id=lambda: str(uuid.uuid4()), served=served)


@cache
def label_joiner() -> LabelJoiner:
    """Build the joiner of feedback and predictions."""
    limits = EntityLimits(stores.allowances())
    return LabelJoiner(
        stores.label_store(),
        quarantine(),
        stores.configurations(),
        limits,
        stores.effects(),
        pause=back_off,
        side_by_side=at_once,
    )


@cache
def window_closing() -> WindowClosing:
    """Build the sweep that closes attribution windows."""
    return WindowClosing(stores.label_store(), label_joiner())


@cache
def new_labels() -> NewLabels:
    """Build the counter of new labels."""
    return NewLabels(stores.new_label_store())


@cache
def prediction_capture() -> PredictionCapture:
    """Build the intake of calls that log predictions."""
    return PredictionCapture(prediction_log(), stores.feedback_stream())


@cache
def prediction_log() -> PredictionLog:
    """Build the log of predictions."""
    return PredictionLog(stores.prediction_store(), label_joiner())


@cache
def quarantine() -> Quarantine:
    """Build the quarantine of rejected items."""
    return Quarantine(stores.lake(), partial(is_erased, stores.configurations()))


@cache
def quarantine_replay() -> QuarantineReplay:
    """Build the replayer of quarantines."""
    rereader = Rereader(
        stores.feedback_stream(),
        prediction_log(),
        stores.label_store(),
        stores.configurations(),
        stores.client_timestamps(),
        stores.served_now,
    )
    return QuarantineReplay(stores.lake(), quarantine(), stores.job_store(), rereader, clients.utc_now)


@cache
def relabel_conclusions() -> RelabelConclusions:
    """Build the finalizer of relabellings."""
    return RelabelConclusions(stores.relabel_store(), stores.configurations())


@cache
def relabel_file_count() -> FileCount:
    """Build the counter of a relabelling's files."""
    workers = worker_count(clients.settings(RelabellingWorkers).consumer_concurrency)
    return FileCount(stores.lake(), stores.relabel_store(), workers)


@cache
def relabel_files() -> RelabelFiles:
    """Build the relabeller of raw files."""
    return RelabelFiles(stores.lake(), feedback_joiner(), stores.relabel_store(), stores.configurations(), at_once)


@cache
def review_answers() -> Answers:
    """Build the intake of reviewers' answers."""
    return Answers(stores.review_tasks(), stores.label_store(), review_outbox())


@cache
def review_leasing() -> TaskLeasing:
    """Build the leasing of review tasks."""
    return TaskLeasing(stores.review_tasks(), stores.label_store(), stores.client_timestamps())


@cache
def review_queue() -> ReviewQueue:
    """Build the reader of the review queue."""
    return ReviewQueue(stores.review_tasks(), stores.label_store(), stores.client_timestamps())


@cache
def review_outbox() -> Outbox:
    """Build the outbox that sends resolved review tasks as feedback."""
    return Outbox(stores.review_tasks(), stores.feedback_stream())


@cache
def reopenings() -> Reopenings:
    """Build the service that opens resolved review tasks again."""
    return Reopenings(stores.review_tasks(), stores.label_store(), review_outbox(), stores.client_timestamps())


@cache
def requested_reviews() -> RequestedReviews:
    """Build the service that makes review tasks of the predictions that operators name."""
    return RequestedReviews(stores.review_tasks(), stores.label_store(), stores.client_timestamps())


@cache
def review_selection() -> ReviewSelection:
    """Build the sampler of predictions for review."""
    return ReviewSelection(
        stores.configurations(),
        stores.selection_store(),
        stores.review_tasks(),
        stores.client_timestamps(),
        pause=back_off,
    )


@cache
def review_expiry() -> ReviewExpiry:
    """Build the expiry sweep of review tasks."""
    return ReviewExpiry(stores.review_tasks(), review_outbox())
