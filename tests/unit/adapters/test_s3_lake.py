"""S3's answer for a missing object depends on the caller's right to list."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hindsight.adapters.aws.s3_lake import S3Lake
from hindsight.core.errors import NotFound


def denied(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, operation)


class GuardedS3:
    """Refuses every read; lists what it holds to those who may list."""

    class exceptions:  # noqa: N801
        NoSuchKey = KeyError

    def __init__(self, *keys: str, may_list: bool) -> None:
        self.held = keys
        self.may_list = may_list

    def get_object(self, **_: str) -> None:
        raise denied("GetObject")

    def get_paginator(self, _: str) -> "GuardedS3":
        return self

    def paginate(self, *, Prefix: str, **_: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        if not self.may_list:
            raise denied("ListObjectsV2")
        listed = {"ETag": '"1"', "Size": 1, "LastModified": datetime(2026, 3, 1, tzinfo=UTC)}
        yield {"Contents": [{"Key": key, **listed} for key in self.held if key.startswith(Prefix)]}


def lake(*keys: str, may_list: bool) -> S3Lake:
    return S3Lake("lake", GuardedS3(*keys, may_list=may_list))  # type: ignore[arg-type]


def test_a_missing_object_behind_a_refusal_is_found_out_where_its_prefix_may_be_listed() -> None:
    with pytest.raises(NotFound):
        lake("quarantine/ab", may_list=True).read_bytes("quarantine/a")


@pytest.mark.parametrize(("keys", "may_list"), [(["quarantine/a"], True), ([], False)])
def test_forbidden_object_stays_forbidden(keys: list[str], may_list: bool) -> None:
    with pytest.raises(ClientError):
        lake(*keys, may_list=may_list).read_bytes("quarantine/a")
