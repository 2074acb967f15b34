"""Import past predictions and feedback from uploaded files (SQS of S3 notifications, partial batch failures)."""

from collections.abc import Callable

from hindsight.bootstrap import labelling, stores
from hindsight.ingestion.import_files import is_import
from hindsight.runtime import join_metrics
from hindsight.runtime.events.s3_notifications import uploads
from hindsight.runtime.handler import metrics
from hindsight.runtime.queue_handler import queue_handler

# Enough for the chunk in hand: a few hundred lines.
RESERVED_MILLISECONDS = 30_000


@queue_handler(RESERVED_MILLISECONDS)
def handler(message: str, has_time: Callable[[], bool]) -> None:
    """Import the files that a notification names; out of time, the same message has the rest imported."""
    for upload in uploads(message):
        if not is_import(upload.key):
            continue
        run = labelling.file_imports().run(upload, has_time)
        join_metrics.publish_imported(metrics, run)
        if run.is_to_go_on:
            stores.import_queue().send(message)
            return
