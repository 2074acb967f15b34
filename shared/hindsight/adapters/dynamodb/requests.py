"""The requests of all DynamoDB adapters: items and plain values, batches whose partial failures are checked."""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from hindsight.core.batches import chunks
from hindsight.core.errors import Unavailable
from hindsight.core.retry import Overtaken, optimistic, send_all

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Item = dict[str, Any]
T = TypeVar("T")
R = TypeVar("R")

CONDITION_FAILED = "ConditionalCheckFailed"
MAX_TRANSACTION = 100
MAX_BATCH_GET = 100
MAX_BATCH_WRITE = 25
MAX_ITEM_BYTES = 400 * 1024
AT_ONCE = 8
"""Calls of one batch that wait for the table at the same time, below the ten connections a client keeps."""
MAX_ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.025
_MAX_BACK_OFF = 5
# What is left once the SDK has tried several times: a partition, the table or the account is at its limit.
_BUSY = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
    }
)
_TRANSIENT = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_item(values: Mapping[str, Any]) -> Item:
    """Convert plain values to a DynamoDB item; None is left out, floats keep their shortest exact text."""
    return {name: _serializer.serialize(_to_decimals(value)) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Convert an item to plain values; numbers come back as int where they are whole in text, else as float."""
    return {name: _from_decimals(_deserializer.deserialize(value)) for name, value in item.items()}


def item_bytes(item: Mapping[str, Any]) -> int:
    """Compute the size of an item as DynamoDB counts it: names and values, text as UTF-8, numbers by their digits.

    >>> item_bytes({"pk": {"S": "bike#p-1"}, "revision": {"N": "0"}})
    20
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S":
            size = len(content.encode())
        case "B":
            size = len(content)
        case "N":
            # A byte every two significant digits and one more; a byte again for a sign.
            size = len(content.strip("-0.")) // 2 + 2 + content.startswith("-")
        case "L":
            size = 3 + sum(1 + _value_bytes(child) for child in content)
        case "M":
            size = 3 + sum(1 + len(name.encode()) + _value_bytes(child) for name, child in content.items())
        case _:
            size = 1
    return size


def _to_decimals(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {key: _to_decimals(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_to_decimals(child) for child in value]
    return value


def _from_decimals(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, dict):
        return {key: _from_decimals(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_from_decimals(child) for child in value]
    return value.value if hasattr(value, "value") and isinstance(value.value, bytes) else value


def transact(client: "DynamoDBClient", operations: Sequence["TransactWriteItemTypeDef"]) -> list[Item | None] | None:
    """Write all operations or none; return None once they are durable.

    When a condition refused the transaction, returns a list as long as ``operations``: the item found (empty if
    there was none, or it was not asked for) where the condition failed, else None. Conflicts with another
    transaction and throttling are tried again with full jitter. Raises Unavailable when they last.
    """

    def attempt() -> list[Item | None] | None:
        try:
            with unavailable_if_busy():
                client.transact_write_items(TransactItems=operations)
        except client.exceptions.TransactionCanceledException as error:
            reasons = error.response.get("CancellationReasons", [])
            codes = [reason.get("Code", "None") for reason in reasons]
            if CONDITION_FAILED in codes:
                return [
                    from_item(reason.get("Item", {})) if code == CONDITION_FAILED else None
                    for code, reason in zip(codes, reasons, strict=True)
                ]
            if not _TRANSIENT.issuperset(code for code in codes if code != "None"):
                raise
            raise Overtaken from error
        except client.exceptions.TransactionInProgressException as error:
            raise Overtaken from error
        return None

    return _patiently(attempt, "the table is too busy to take a transaction")


def put(client: "DynamoDBClient", **request: Any) -> Item | None:
    """Put one item under a condition; return None once it is durable, the item found where the condition refused it.

    The item is empty if there was none, or it was not asked for. A transaction that holds the item at that moment is
    waited for. Raises Unavailable when that lasts.
    """

    def attempt() -> Item | None:
        try:
            with unavailable_if_busy():
                client.put_item(**request)
        except client.exceptions.ConditionalCheckFailedException as error:
            found: Any = error.response.get("Item", {})
            return from_item(found)
        except client.exceptions.TransactionConflictException as error:
            raise Overtaken from error
        return None

    return _patiently(attempt, "the table is too busy to take the item")


def batch_get(
    client: "DynamoDBClient", table: str, keys: Iterable[tuple[str, str]], *, consistent: bool
) -> Iterator[dict[str, Any]]:
    """Read the items that exist under (pk, sk) keys, in no order; ask again for unprocessed keys.

    Several chunks of keys are read at the same time. Raises Unavailable when the table keeps leaving keys unprocessed.
    """

    def read(chunk: list[tuple[str, str]]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        wanted: Any = {
            table: {"Keys": [to_item({"pk": pk, "sk": sk}) for pk, sk in chunk], "ConsistentRead": consistent}
        }

        def attempt() -> list[dict[str, Any]]:
            nonlocal wanted
            with unavailable_if_busy():
                answer = client.batch_get_item(RequestItems=wanted)
            found.extend(map(from_item, answer["Responses"].get(table, [])))
            wanted = answer.get("UnprocessedKeys")
            if wanted:
                raise Overtaken
            return found

        return _patiently(attempt, "the table is too busy to read from")

    for items in at_once(read, list(chunks(dict.fromkeys(keys), MAX_BATCH_GET))):
        yield from items


def batch_write(client: "DynamoDBClient", table: str, requests: Sequence[Any]) -> None:
    """Put and delete items, each by itself, a few dozen a call; unprocessed ones are sent again.

    Raises Unavailable when the table keeps leaving items unprocessed.
    """

    def write(batch: list[Any]) -> list[Any]:
        with unavailable_if_busy():
            answer = client.batch_write_item(RequestItems={table: batch})
        unprocessed: list[Any] = answer.get("UnprocessedItems", {}).get(table, [])
        return unprocessed

    def write_all(batch: list[Any]) -> None:
        send_all(
            write,
            batch,
            otherwise=Unavailable("the table is too busy to write to"),
            pause=_pause,
            max_attempts=MAX_ATTEMPTS,
        )

    for _ in at_once(write_all, list(chunks(requests, MAX_BATCH_WRITE))):
        pass


def query_pages(client: "DynamoDBClient", **request: Any) -> Iterator[Any]:
    """Read the pages of a query, as far as they are taken. Raises Unavailable where the table is at its limit."""
    pages = iter(client.get_paginator("query").paginate(**request))
    while True:
        with unavailable_if_busy():
            page = next(pages, None)
        if page is None:
            return
        yield page


def query_all(client: "DynamoDBClient", **request: Any) -> Iterator[dict[str, Any]]:
    """Read every item a query matches, page after page; raises as ``query_pages`` does."""
    for page in query_pages(client, **request):
        yield from map(from_item, page["Items"])


def scan_pages(client: "DynamoDBClient", after: str, **request: Any) -> Iterator[tuple[list[Any], str]]:
    """Read a table page by page from a checkpoint on; with each page the next one, empty at the end."""
    while True:
        start = {"ExclusiveStartKey": json.loads(after)} if after else {}
        with unavailable_if_busy():
            page = client.scan(**request, **start)
        after = json.dumps(page["LastEvaluatedKey"]) if "LastEvaluatedKey" in page else ""
        yield page["Items"], after
        if not after:
            return


@contextmanager
def unavailable_if_busy() -> Iterator[None]:
    """Raise Unavailable in place of DynamoDB's throttling errors: sending the same again is safe."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code in _BUSY:
            raise Unavailable(f"the table is at its limit ({code}); try again") from error
        raise


def at_once(call: Callable[[T], R], values: Sequence[T]) -> Iterator[R]:
    """Call a function with each value, several at the same time, and give its results in order."""
    if len(values) < 2:
        yield from map(call, values)
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(call, values)


def _patiently(attempt: Callable[[], R], message: str) -> R:
    """Repeat an attempt at a busy table with full jitter. Raises Unavailable with a message when that lasts."""
    return optimistic(attempt, otherwise=Unavailable(message), pause=_pause, max_attempts=MAX_ATTEMPTS)


def back_off(attempt: int) -> None:
    """Wait before another attempt at what other workers keep changing, less than a second."""
    _pause(min(attempt, _MAX_BACK_OFF))


def _pause(attempt: int) -> None:
    time.sleep(pause_seconds(attempt))


def pause_seconds(attempt: int) -> float:
    """Draw the pause before another attempt: full jitter, so that those who met do not meet again."""
    return random.uniform(0, _FIRST_PAUSE_SECONDS * 2**attempt)  # noqa: S311  jitter, not a secret
