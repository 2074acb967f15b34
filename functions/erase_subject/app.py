"""Erase what is kept of entities and of models (SQS of erasures, partial batch failures)."""

from collections.abc import Callable

from hindsight.bootstrap import erasing, stores
from hindsight.core.jobs import parse_message
from hindsight.runtime.queue_handler import queue_handler

# Enough for the object or the dataset in hand.
RESERVED_MILLISECONDS = 240_000


@queue_handler(RESERVED_MILLISECONDS)
def handler(message: str, has_time: Callable[[], bool]) -> None:
    """Continue the erasure that a message names; out of time, another message has it continued."""
    model, job_id = parse_message(message)
    run = erasing.eraser().run(model, job_id, has_time)
    if run.is_to_go_on:
        stores.erasure_queue().send(message, run.wait_seconds)
