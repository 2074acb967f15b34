"""A table's stream in shards: what is about one item stays in order, each shard has its own batches and reader.

The emulator has one shard, whose reader waits for nothing and passes over what a function said it failed at. Here a
shard gathers records until the batch is full or the batching window is over, waits for room, and on a failure splits
the batch, begins again where the function says, and ends its retries as the mapping defines.
"""

import contextvars
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ministack.core.arn import parse_arn
from ministack.services import dynamodb, lambda_svc

from bench.account.mode.settings import Mode
from local.forked.patching import replace, require
from local.gateway_rules import SYNCHRONOUS_BYTES, size

Record = dict[str, Any]
_IDLE_SECONDS = 0.2
_BACK_OFF_SECONDS, _MAX_BACK_OFF_SECONDS = 0.5, 10.0
_PAGE = 10_000
_FOR_EVER = -1


def install(mode: Mode) -> None:
    """Read the tables' streams by shards in the place of the emulator's reader."""
    require(dynamodb, "stream_records_since", "stream_start_position", "_tables")
    require(
        lambda_svc,
        "_iter_all_esms",
        "_dynamodb_stream_table_from_arn_spec",
        "_get_func_record_for_qualifier",
        "_apply_filter_criteria",
        "_send_ddb_stream_failure_record",
        "_dynamodb_stream_positions",
        "_request_account_id",
        "_request_region",
    )
    readers = Readers(mode)
    replace(lambda_svc, "_poll_dynamodb_streams", "", lambda _: readers.poll)


def shard_of(record: Record, shards: int) -> int:
    """Find the shard of a record: that of its partition key."""
    key = min(record["dynamodb"]["Keys"].items(), key=lambda pair: pair[0] != "pk")
    return zlib.crc32(repr(key[1]).encode()) % shards


@dataclass
class Batch:
    """Records of one shard that are handed over together, and how often they have been."""

    records: list[Record]
    attempts: int = 0


@dataclass
class Shard:
    """One shard as one function reads it."""

    mapping: Record
    function: Callable[[], Record | None]
    pace: float
    _waiting: deque[tuple[float, Record]] = field(default_factory=deque)
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    def add(self, records: list[Record]) -> None:
        """Take records in the order in which they were written."""
        now = time.monotonic()
        with self._arrived:
            self._waiting.extend((now, record) for record in records)
            self._arrived.notify()

    def run(self) -> None:
        """Hand batches over for as long as the process lives."""
        while True:
            batch = self._next()
            while batch is not None:
                batch = self._deliver(batch)

    def _next(self) -> Batch | None:
        """Gather a batch: full, or as old as the batching window."""
        most = int(self.mapping.get("BatchSize") or 100)
        window = float(self.mapping.get("MaximumBatchingWindowInSeconds") or 0) * self.pace
        with self._arrived:
            while not self._waiting or not self.mapping.get("Enabled", True):
                self._arrived.wait(_IDLE_SECONDS)
            due = self._waiting[0][0] + window
            while len(self._waiting) < most and (left := due - time.monotonic()) > 0:
                self._arrived.wait(left)
            records: list[Record] = []
            room = SYNCHRONOUS_BYTES
            while self._waiting and len(records) < most:
                room -= size(self._waiting[0][1])
                if records and room < 0:
                    break
                records.append(self._waiting.popleft()[1])
        return Batch(records) if records else None

    def _deliver(self, batch: Batch) -> Batch | None:
        """Hand a batch over; return what is to be handed over next of it, None if it is dealt with."""
        pause = _BACK_OFF_SECONDS
        while True:
            func = self.function()
            result = lambda_svc._execute_function(func, {"Records": batch.records}) if func else {"throttle": True}
            if not result.get("throttle"):
                break
            time.sleep(pause)
            pause = min(_MAX_BACK_OFF_SECONDS, 2 * pause)
        done = 0 if result.get("error") else processed(batch.records, result.get("body"), self.mapping)
        if done == len(batch.records):
            return None
        return self._again(batch, done, func, result)

    def _again(self, batch: Batch, done: int, func: Any, result: Any) -> Batch | None:
        left = batch.records[done:]
        bisects = bool(self.mapping.get("BisectBatchOnFunctionError")) and done == 0 and len(left) > 1
        # A split costs no attempt, nor does what is left of a batch that was partly processed.
        attempts = batch.attempts if bisects else 1 if done else batch.attempts + 1
        reason = self._reason_to_give_up(left, attempts)
        if reason:
            lambda_svc._send_ddb_stream_failure_record(
                self.mapping, func, left, self.mapping["EventSourceArn"], result, reason
            )
            return None
        time.sleep(min(_MAX_BACK_OFF_SECONDS, _BACK_OFF_SECONDS * 2 ** min(attempts, 5)))
        if bisects:
            middle = len(left) // 2
            now = time.monotonic()
            with self._arrived:
                self._waiting.extendleft((now, record) for record in reversed(left[middle:]))
            return Batch(left[:middle], attempts)
        return Batch(left, attempts)

    def _reason_to_give_up(self, records: list[Record], attempts: int) -> str | None:
        most = int(self.mapping.get("MaximumRetryAttempts", _FOR_EVER))
        oldest = min(record["dynamodb"]["ApproximateCreationDateTime"] for record in records)
        longest = int(self.mapping.get("MaximumRecordAgeInSeconds", _FOR_EVER))
        if longest > 0 and time.time() - oldest > longest:
            return "MaxRecordAgeExceeded"
        return "RetryAttemptsExhausted" if 0 <= most < attempts else None


def processed(records: list[Record], answer: Any, mapping: Record) -> int:
    """Count the records, from the first, that a function has processed by its reported failures.

    >>> records = [{"dynamodb": {"SequenceNumber": number}} for number in ("1", "2", "3")]
    >>> mapping = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    >>> processed(records, {"batchItemFailures": [{"itemIdentifier": "2"}]}, mapping)
    1
    >>> processed(records, None, {})
    3
    """
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or []):
        return len(records)
    failures = (answer or {}).get("batchItemFailures") or [] if isinstance(answer, dict) else []
    if not failures:
        return len(records)
    places = {record["dynamodb"]["SequenceNumber"]: place for place, record in enumerate(records)}
    # A name that is not in the batch fails all of it.
    return min(places.get(failure.get("itemIdentifier", ""), 0) for failure in failures)


class Readers:
    """The dealer of a table's changes to the shards of every mapping."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._shards: dict[str, list[Shard]] = {}

    def poll(self) -> bool:
        """Take what is new for every mapping, in place of the emulator's own pass; report whether there was any."""
        taken = 0
        for account, region, mapping in lambda_svc._iter_all_esms():
            if ":dynamodb:" not in mapping.get("EventSourceArn", ""):
                continue
            tokens = lambda_svc._request_account_id.set(account), lambda_svc._request_region.set(region)
            try:
                taken += self._deal(mapping)
            finally:
                lambda_svc._request_account_id.reset(tokens[0])
                lambda_svc._request_region.reset(tokens[1])
        return taken > 0

    def _deal(self, mapping: Record) -> int:
        source = lambda_svc._dynamodb_stream_table_from_arn_spec(parse_arn(mapping["EventSourceArn"]))
        table = dynamodb._tables.get(source[0]) if source else None
        if not table or table.get("LatestStreamArn") != mapping["EventSourceArn"]:
            return 0
        positions = lambda_svc._dynamodb_stream_positions
        position = positions.get(mapping["UUID"], dynamodb.stream_start_position(source[0]))
        page = dynamodb.stream_records_since(source[0], position, _PAGE)
        if not page:
            return 0
        shards = self._shards.get(mapping["UUID"]) or self._begin(mapping)
        dealt: list[list[Record]] = [[] for _ in shards]
        for record in lambda_svc._apply_filter_criteria(page, mapping):
            dealt[shard_of(record, len(shards))].append(record)
        for shard, records in zip(shards, dealt, strict=True):
            if records:
                shard.add(records)
        positions[mapping["UUID"]] = position + len(page)
        return len(page)

    def _begin(self, mapping: Record) -> list[Shard]:
        def function() -> Any:
            return lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))[0]

        shards = [Shard(mapping, function, self._mode.pace) for _ in range(self._mode.shards)]
        for shard in shards:
            run = contextvars.copy_context().run
            threading.Thread(target=run, args=(shard.run,), daemon=True, name="account-shard").start()
        self._shards[mapping["UUID"]] = shards
        return shards
