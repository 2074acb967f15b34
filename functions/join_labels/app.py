"""Join feedback files onto stored predictions (SQS of S3 notifications, partial batch failures)."""

from collections.abc import Callable

from hindsight.bootstrap import labelling, stores
from hindsight.labels.joining.feedback_files import FilePart, is_to_be_joined, parse_part, part_message
from hindsight.labels.joining.match_requests import match_message, parse_match
from hindsight.runtime import join_metrics
from hindsight.runtime.events.s3_notifications import object_keys
from hindsight.runtime.handler import metrics
from hindsight.runtime.queue_handler import queue_handler

# Enough for the lines in hand, also where other workers keep changing the same predictions.
RESERVED_MILLISECONDS = 60_000


@queue_handler(RESERVED_MILLISECONDS)
def handler(message: str, has_time: Callable[[], bool]) -> None:
    """Join the files, or the predictions, that a message names; out of time, another message has the rest joined."""
    if (request := parse_match(message)) is not None:
        matched = labelling.feedback_joiner().join_predictions(request, has_time)
        join_metrics.publish(metrics, matched.report)
        if matched.rest is not None:
            stores.feedback_queue().send(match_message(matched.rest))
        return
    for part in _parts(message):
        run = labelling.feedback_files().join_part(part, has_time)
        join_metrics.publish(metrics, run.report)
        if run.rest is not None:
            stores.feedback_queue().send(part_message(run.rest))


def _parts(message: str) -> list[FilePart]:
    part = parse_part(message)
    return [part] if part else [FilePart(key) for key in object_keys(message) if is_to_be_joined(key)]
