"""Firehose takes every line or the caller hears of it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from hindsight.adapters.aws.feedback_stream import MAX_BATCH_BYTES, MAX_RECORD_BYTES, FirehoseFeedback
from hindsight.core.errors import Unavailable


class FlakyFirehose:
    """Refuses the record at each of the given places of its first calls."""

    def __init__(self, refusals: list[set[int]]) -> None:
        self.refusals = refusals
        self.taken: list[bytes] = []
        self.batches: list[list[bytes]] = []

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        refused = self.refusals.pop(0) if self.refusals else set()
        self.batches.append([record["Data"] for record in Records])
        outcomes: list[dict[str, str]] = []
        for place, record in enumerate(Records):
            if place in refused:
                outcomes.append({"ErrorCode": "ServiceUnavailableException"})
            else:
                self.taken.append(record["Data"])
                outcomes.append({"RecordId": "1"})
        return {"FailedPutCount": sum("ErrorCode" in outcome for outcome in outcomes), "RequestResponses": outcomes}


def stream(firehose: FlakyFirehose) -> FirehoseFeedback:
    return FirehoseFeedback("feedback", firehose, sleep=lambda _: None)  # type: ignore[arg-type]


def test_only_the_refused_records_are_sent_again() -> None:
    firehose = FlakyFirehose([{0}, {0}])
    lines = [bytes([letter]) * (MAX_RECORD_BYTES - 10) + b"\n" for letter in b"abc"]

    stream(firehose).append(lines)

    assert sorted(firehose.taken) == lines
    assert [len(batch) for batch in firehose.batches] == [3, 1, 1]


def test_a_stream_that_keeps_refusing_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        stream(FlakyFirehose([{0}] * 100)).append([b"a\n"])


@pytest.mark.parametrize("code", ["ServiceUnavailableException", "ThrottlingException"])
def test_call_beyond_the_quota_is_sent_again_and_unavailable_if_that_lasts(code: str) -> None:
    refusal = ClientError({"Error": {"Code": code, "Message": "Slow down."}}, "PutRecordBatch")

    class Throttled(FlakyFirehose):
        """Refuses its first calls as a whole."""

        left = 2

        def put_record_batch(self, **request: Any) -> dict[str, Any]:
            if self.left:
                self.left -= 1
                raise refusal
            return super().put_record_batch(**request)

    firehose = Throttled([])
    stream(firehose).append([b"a\n"])
    assert firehose.taken == [b"a\n"]
    firehose.left = 1000
    with pytest.raises(Unavailable):
        stream(firehose).append([b"b\n"])


def test_call_that_is_forbidden_is_not_sent_again() -> None:
    class Forbidding(FlakyFirehose):
        def put_record_batch(self, **request: Any) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "PutRecordBatch")

    with pytest.raises(ClientError):
        stream(Forbidding([])).append([b"a\n"])


@given(st.lists(st.integers(1, MAX_RECORD_BYTES), max_size=12))
def test_every_line_arrives_whole_and_in_order_within_the_limits(sizes: list[int]) -> None:
    firehose = FlakyFirehose([])
    lines = [b"x" * (size - 1) + b"\n" for size in sizes]

    stream(firehose).append(lines)

    assert b"".join(firehose.taken) == b"".join(lines)
    assert all(len(record) <= MAX_RECORD_BYTES for record in firehose.taken)
    assert all(sum(map(len, batch)) <= MAX_BATCH_BYTES for batch in firehose.batches)
