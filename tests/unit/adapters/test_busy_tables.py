"""A table at its limit makes a call unavailable, whichever request meets it; a transaction on an item is waited for."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.adapters.models_table.member_table import DynamoMembers
from hindsight.adapters.predictions_table.subject_table import DynamoSubjectCollections
from hindsight.core.errors import Unavailable


class TransactionConflict(ClientError):
    """The refusal of a request for an item that a transaction holds."""


class ConditionFailed(ClientError):
    """The refusal of a request whose condition does not hold."""


class BusyTable:
    """A client whose table is at its limit, or whose items are held by transactions for a while."""

    class exceptions:  # noqa: N801
        TransactionConflictException = TransactionConflict
        ConditionalCheckFailedException = ConditionFailed

    def __init__(self, *errors: ClientError) -> None:
        self.errors = list(errors)
        self.written: list[dict[str, Any]] = []

    def request(self, **_: Any) -> Any:
        raise self.errors.pop()

    get_item = batch_write_item = request

    def put_item(self, **request: Any) -> None:
        if self.errors:
            raise self.errors.pop()
        self.written.append(request["Item"])

    def get_paginator(self, _: str) -> "BusyTable":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return []


def throttled(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}, operation)


def test_item_of_a_table_at_its_limit_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        ModelItems("models", BusyTable(throttled("GetItem"))).get("bikes", "pointer")  # type: ignore[arg-type]


def test_batch_that_a_table_at_its_limit_refuses_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        DynamoMembers("models", BusyTable(throttled("BatchWriteItem"))).replace("bikes", "d1", {0: b"x"})  # type: ignore[arg-type]


def test_mark_of_an_erased_prediction_waits_for_the_join_that_holds_it() -> None:
    held = TransactionConflict({"Error": {"Code": "TransactionConflictException", "Message": ""}}, "PutItem")
    client = BusyTable(held, held)

    DynamoSubjectCollections("predictions", client).erase("bikes", "p-1", 1)  # type: ignore[arg-type]

    assert [item["erased"] for item in client.written] == [{"BOOL": True}]
