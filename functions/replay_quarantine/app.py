"""Replay quarantined feedback and predictions (SQS of replay requests, partial batch failures)."""

from collections.abc import Callable

from hindsight.bootstrap import labelling, stores
from hindsight.core.jobs import parse_message
from hindsight.runtime import join_metrics
from hindsight.runtime.handler import metrics
from hindsight.runtime.queue_handler import queue_handler

# Enough for the object in hand: a few thousand rows.
RESERVED_MILLISECONDS = 60_000


@queue_handler(RESERVED_MILLISECONDS)
def handler(message: str, has_time: Callable[[], bool]) -> None:
    """Continue the replay that a message names; out of time, another message has it continued."""
    model, job_id = parse_message(message)
    run = labelling.quarantine_replay().run(model, job_id, has_time)
    join_metrics.publish_replayed(metrics, model, run.counts)
    if run.is_to_go_on:
        stores.replay_queue().send(message)
