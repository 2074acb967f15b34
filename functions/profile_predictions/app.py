"""Merge the log of predictions into hourly profiles (SQS of S3 notifications, partial batch failures)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.adapters.dynamodb.requests import back_off
from hindsight.bootstrap import stores
from hindsight.profiles.logs.log_profiler import LogProfiler
from hindsight.runtime.deadline import time_left
from hindsight.runtime.events.s3_notifications import read_messages
from hindsight.runtime.handler import event_handler, logger

# Enough to read and profile what is in hand, and to write an hour.
RESERVED_MILLISECONDS = 60_000


@event_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Profile a batch of log objects as one, so that an hour is written once; return what is to be delivered again."""
    messages = read_messages(event["Records"])
    profiler = LogProfiler(stores.lake(), stores.configurations(), back_off, stores.served_definitions)
    report = profiler.profile(messages.keys, time_left(context, RESERVED_MILLISECONDS))
    logger.info("predictions_profiled", extra={"predictions": sum(report.rows.values())})
    if report.unknown_models:
        logger.warning("unknown_models_not_profiled", extra={"models": sorted(report.unknown_models)})
    for key, error in report.failures.items():
        logger.error("object_not_profiled", extra={"key": key, "error": f"{type(error).__name__}: {error}"})
    if report.postponed:
        logger.info("profiling_postponed", extra={"objects": len(report.postponed)})
    return messages.failures(report.failures.keys() | report.postponed)
