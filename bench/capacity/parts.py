"""The parts of a deployment, and how many predictions of one model a second each takes.

Every prediction is made in a separate call and gets one outcome in another, as by apps that batch nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bench.capacity.counts import Units, total
from hindsight.adapters.predictions_table.prediction_items import DUE_SHARDS
from hindsight.core.recent_reads import EVERY_SECONDS
from hindsight.labels.joining.feedback_files import CHUNK_LINES
from hindsight.labels.joining.window_closing import SWEEPS
from hindsight.review.selection.selection import MAX_ROWS_A_ROUND

# AWS's documented quotas and limits, as of 2026-11-30.
CONCURRENCY = 1_000
TABLE_WRITES = 40_000
PARTITION_WRITES, PARTITION_READS = 1_000, 3_000
STREAM_BYTES, STREAM_REQUESTS = 2**20, 1_000
PUTS_OF_A_PREFIX = 3_500
FULL_PROCESSOR_MEGABYTES = 1_769

# What a call waits for, usually, in seconds.
DYNAMODB, S3 = 0.015, 0.03
# How long a call of an app takes a function: estimates, until an account shows it.
PREDICT_SECONDS, FEEDBACK_SECONDS = 0.06, 0.04
CALLS = 2
WORKER_MEGABYTES = 1_024
CLOSED_AT_ONCE, ARCHIVED_AT_ONCE = 300, 1_000
SWEEP_EVERY, SWEEP_LASTS = 300, 225
SELECTION_STATE_KILOBYTES = 40
# `make bench-monitoring`: rows of the log profiled a second on one processor, and its workers.
PROFILED_ROWS, PROFILERS = 70_000, 2


@dataclass(frozen=True, slots=True)
class Part:
    """One part: what a prediction asks of it, how many a second it takes by default, and what lifts that.

    ``most`` is where it ends with every limit lifted, None where only its quota says so.
    """

    name: str
    asked: str
    default: float
    lifted_by: str
    most: float | None = None


def parts_of(counts: Mapping[str, Units], speeds: Mapping[str, float], parameters: Mapping[str, float]) -> list[Part]:
    """Build the parts from what was counted and measured, and from the defaults of the template's parameters."""
    consumers = parameters["ConsumerConcurrency"]
    return [
        *_calls(counts, parameters["AppRequestsPerSecond"]),
        *_tables(counts),
        *_workers(speeds, consumers),
    ]


def bottleneck(parts: list[Part]) -> Part:
    """Find the part that ends first once every quota and parameter is raised."""
    return min(parts, key=lambda part: math.inf if part.most is None else part.most)


def _calls(counts: Mapping[str, Units], calls: float) -> list[Part]:
    seconds = PREDICT_SECONDS + FEEDBACK_SECONDS
    line = counts["a line of feedback"]["bytes"]
    return [
        Part(
            "API Gateway",
            f"{CALLS} calls",
            calls / CALLS,
            "parameter `AppRequestsPerSecond`; API Gateway quota *Throttle rate* (10,000)",
        ),
        Part(
            "functions of the API",
            f"{seconds:.2f} s of them",
            CONCURRENCY / seconds,
            "Lambda quota *Concurrent executions* (1,000; 10 in a new account)",
        ),
        Part(
            "feedback stream: bytes",
            f"{line:.0f} B",
            STREAM_BYTES / line,
            "Firehose limits form (1 MiB/s; 5 in us-east-1, us-west-2, eu-west-1)",
        ),
        Part(
            "feedback stream: requests",
            "1 request",
            STREAM_REQUESTS,
            "Firehose limits form (1,000/s; 2,000 in those three); calls with several events",
        ),
    ]


def _tables(counts: Mapping[str, Units]) -> list[Part]:
    whole = total(counts["saved in a call of one"], counts["joined with its outcome"], counts["closed by the clock"])
    writes, due = whole["writes"], whole["writes:due"]
    # Where feedback changes when the label is next due, its entry moves: a deletion and an insertion.
    most_due = due + 2
    index = DUE_SHARDS * PARTITION_WRITES / most_due
    reads = (PREDICT_SECONDS + FEEDBACK_SECONDS) / EVERY_SECONDS
    return [
        Part(
            "predictions table",
            f"{writes:g} write units, and {due:g} of its index",
            TABLE_WRITES / (writes + due),
            "DynamoDB quota *Table-level write throughput limit* (40,000); new tables begin at 4,000 and grow in half "
            "an hour, or are warmed",
        ),
        Part(
            "`due` index",
            f"{due:g} write units, {most_due:g} at most",
            index,
            f"nothing: {DUE_SHARDS} keys of {PARTITION_WRITES:,} units",
            index,
        ),
        Part(
            "the configuration's item",
            f"{reads:g} read units: each busy process reads it every {EVERY_SECONDS:g} s",
            PARTITION_READS / reads,
            f"nothing: one item of {PARTITION_READS:,} units",
            PARTITION_READS / reads,
        ),
    ]


def _workers(speeds: Mapping[str, float], consumers: float) -> list[Part]:
    joined = _per_second(speeds["join"], CHUNK_LINES, 11 * DYNAMODB)
    closed = SWEEPS * _per_second(speeds["mature"], CLOSED_AT_ONCE, 3 * DYNAMODB) * SWEEP_LASTS / SWEEP_EVERY
    archived = min(
        _per_second(speeds["archive predictions"], ARCHIVED_AT_ONCE, S3 + DYNAMODB),
        _per_second(speeds["archive labels"], ARCHIVED_AT_ONCE, S3 + 2 * DYNAMODB),
    )
    round_seconds = 2 * DYNAMODB + MAX_ROWS_A_ROUND * _seconds(speeds["round of review selection"])
    selected = min(MAX_ROWS_A_ROUND / round_seconds, PARTITION_WRITES * MAX_ROWS_A_ROUND / SELECTION_STATE_KILOBYTES)
    profiled = PROFILERS * PROFILED_ROWS * WORKER_MEGABYTES / FULL_PROCESSOR_MEGABYTES
    return [
        Part(
            "joins",
            f"{_seconds(speeds['join']) * 1e3:.2f} ms of a worker",
            consumers * joined,
            f"parameter `ConsumerConcurrency` ({consumers:g}); Lambda quota *Concurrent executions*",
        ),
        Part(
            "closing of windows",
            f"{_seconds(speeds['mature']) * 1e3:.2f} ms of a sweep",
            closed,
            f"nothing: {SWEEPS} sweeps of {SWEEP_LASTS} s every {SWEEP_EVERY} s",
            closed,
        ),
        Part(
            "archivers",
            f"a shard of the table brings {PARTITION_WRITES:,} at most",
            archived * TABLE_WRITES / PARTITION_WRITES,
            f"grows with the table: a worker a shard, each takes {_rounded(archived)}",
        ),
        Part(
            "lake",
            "an object a shard and batch",
            PUTS_OF_A_PREFIX * ARCHIVED_AT_ONCE / 2,
            f"nothing: {PUTS_OF_A_PREFIX:,} PUT a second and prefix",
            PUTS_OF_A_PREFIX * ARCHIVED_AT_ONCE / 2,
        ),
        Part("profiles", "a row of the log", profiled, f"nothing: {PROFILERS} workers", profiled),
        Part(
            "rounds of review selection, if there is a budget",
            f"{round_seconds * 1e3 / MAX_ROWS_A_ROUND:.2f} ms, one after another",
            selected,
            "nothing: a round begins where the last one ended",
            selected,
        ),
    ]


def _seconds(microseconds: float) -> float:
    """Compute how long a worker takes for what takes a whole processor so many microseconds."""
    return microseconds / 1e6 * FULL_PROCESSOR_MEGABYTES / WORKER_MEGABYTES


def _per_second(microseconds: float, at_once: int, waits: float) -> float:
    return at_once / (at_once * _seconds(microseconds) + waits)


def _rounded(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.0f}"
