"""Objects in account mode: forbidden to whom may not list, with tags that are no digests, behind latencies."""

import pytest
from botocore.exceptions import ClientError

from tests.account.conftest import Account

OBJECTS = "arn:aws:s3:::bucket/*"


def test_missing_key_without_list_rights_is_forbidden(account: Account) -> None:
    reader = account.function({"Action": "s3:GetObject", "Resource": OBJECTS})
    for operation in ("get_object", "head_object"):
        asked = ["s3", operation, {"Bucket": "bucket", "Key": "feedback/nothing"}]
        assert account.invoke(reader, call=asked)["error"] == 403


def test_missing_key_with_list_rights_of_its_prefix_is_not_found(account: Account) -> None:
    lists = {
        "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::bucket",
        "Condition": {"StringLike": {"s3:prefix": ["feedback/*"]}},
    }
    reader = account.function({"Action": "s3:GetObject", "Resource": OBJECTS}, lists)
    answers = [
        account.invoke(reader, call=["s3", "get_object", {"Bucket": "bucket", "Key": key}])
        for key in ("feedback/nothing", "elsewhere/nothing")
    ]
    assert [answer["code"] for answer in answers] == ["NoSuchKey", "AccessDenied"]


def test_equal_bytes_have_another_tag_at_each_write(account: Account) -> None:
    s3 = account.aws("s3")
    tags = {s3.put_object(Bucket="bucket", Key="tags", Body=b"the same")["ETag"] for _ in range(3)}
    assert len(tags) == 3
    assert s3.head_object(Bucket="bucket", Key="tags")["ETag"] in tags


def test_conditional_writes_and_deletes_hold_by_such_tags(account: Account) -> None:
    s3 = account.aws("s3")
    first = s3.put_object(Bucket="bucket", Key="guarded", Body=b"1", IfNoneMatch="*")["ETag"]
    second = s3.put_object(Bucket="bucket", Key="guarded", Body=b"1", IfMatch=first)["ETag"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="bucket", Key="guarded", Body=b"2", IfMatch=first)
    stale = s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "guarded", "ETag": first}]})
    assert stale["Errors"][0]["Code"] == "PreconditionFailed"
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "guarded", "ETag": second}]})
    assert account.keys("guarded") == []


def test_call_of_function_takes_as_long_as_its_service(account: Account) -> None:
    writer = account.function()
    asked = ["s3", "put_object", {"Bucket": "bucket", "Key": "slow", "Body": "x"}]
    account.invoke(writer, call=asked)
    assert account.invoke(writer, call=asked)["seconds"] >= 0.015
