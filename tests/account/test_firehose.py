"""Firehose in account mode: it buffers, compresses, and refuses what is above its quota."""

import gzip
import time

import pytest
from botocore.exceptions import ClientError

from bench.account.mode.delivery import Quota
from tests.account.conftest import MODE, Account, eventually


@pytest.fixture
def stream(account: Account) -> str:
    role = account.role({"Action": "s3:PutObject", "Resource": "arn:aws:s3:::bucket/*"})
    account.aws("firehose").create_delivery_stream(
        DeliveryStreamName="feed",
        ExtendedS3DestinationConfiguration={
            "BucketARN": "arn:aws:s3:::bucket",
            "RoleARN": role,
            "Prefix": "feed/",
            "CompressionFormat": "GZIP",
            "BufferingHints": {"IntervalInSeconds": 20, "SizeInMBs": 1},
        },
    )
    return "feed"


def test_records_are_gathered_into_one_object_and_those_above_the_quota_refused(account: Account, stream: str) -> None:
    feed = account.aws("firehose")
    for number in range(10):
        answer = feed.put_record_batch(DeliveryStreamName=stream, Records=[{"Data": f"{number}\n".encode()}])
        assert answer["FailedPutCount"] == 0
    assert account.keys("feed/") == []
    (key,) = eventually(lambda: account.keys("feed/"))
    content = account.aws("s3").get_object(Bucket="bucket", Key=key)["Body"].read()
    assert gzip.decompress(content).decode().split() == [str(number) for number in range(10)]

    time.sleep(1)
    part = b"x" * (MODE.firehose_bytes_per_second * 3 // 5)
    answer = feed.put_record_batch(DeliveryStreamName=stream, Records=[{"Data": part}] * 2)
    assert answer["FailedPutCount"] == 1
    assert ["ErrorCode" in one for one in answer["RequestResponses"]] == [False, True]
    with pytest.raises(ClientError, match="ServiceUnavailableException"):
        feed.put_record_batch(DeliveryStreamName=stream, Records=[{"Data": part * 2}])


def test_quota_is_saved_up_for_a_second_at_most() -> None:
    quota = Quota(1000.0, 10.0)
    assert quota.take([600, 600, 300]) == [True, False, True]
    assert quota.take([900]) == [False]
    calls = [quota.take([0])[0] for _ in range(20)]
    assert calls.count(True) == 8
