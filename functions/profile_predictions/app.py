"""Merge the log of predictions into hourly profiles (SQS of S3 notifications, partial batch failures)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.adapters.aws.s3_notifications import read_messages
from hindsight.adapters.dynamodb.requests import back_off
from hindsight.bootstrap import stores
from hindsight.bootstrap.deadline import time_left
from hindsight.profiles.logs.log_profiler import LogProfiler

# Enough to read and profile what is in hand, and to write an hour.
RESERVED_MILLISECONDS = 60_000

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Profile a batch of log objects as one, so that an hour is written once; return what is to be delivered again."""
    messages = read_messages(event["Records"])
    profiler = LogProfiler(stores.lake(), stores.configurations(), pause=back_off)
    report = profiler.profile(messages.keys, time_left(context, RESERVED_MILLISECONDS))
    logger.info("profiled", extra={"predictions": sum(report.rows.values())})
    if report.unknown_models:
        logger.warning("not profiled: the models are not known", extra={"models": sorted(report.unknown_models)})
    for key, error in report.failures.items():
        logger.error("not profiled", extra={"key": key, "error": f"{type(error).__name__}: {error}"})
    if report.postponed:
        logger.info("profiling_postponed", extra={"objects": len(report.postponed)})
    return messages.failures(report.failures.keys() | report.postponed)
