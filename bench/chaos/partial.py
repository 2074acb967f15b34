"""Batches done in part: the entries that are passed on, and the answer about the others."""

import json
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

Body = dict[str, Any]
Part = Callable[[int], list[bool]]


def split(operation: str, body: Body, part: Part) -> tuple[Body | None, Callable[[Body], Body]]:
    """Cut a request: the part passed on, None if nothing is left, and the function that completes its response."""
    if operation == "BatchWriteItem":
        return _split_tables(body, part, lambda asked: asked, lambda _, kept: kept, "UnprocessedItems")
    if operation == "BatchGetItem":
        return _split_tables(
            body, part, lambda asked: asked["Keys"], lambda asked, kept: {**asked, "Keys": kept}, "UnprocessedKeys"
        )
    if operation == "SendMessageBatch":
        return _split_messages(body, part)
    entries, answers, count = {
        "PutRecordBatch": ("Records", "RequestResponses", "FailedPutCount"),
        "PutEvents": ("Entries", "Entries", "FailedEntryCount"),
    }[operation]
    return _split_list(body, part, entries, answers, count)


def _split_tables(
    body: Body,
    part: Part,
    entries: Callable[[Any], Sequence[Any]],
    keeping: Callable[[Any, list[Any]], Any],
    left_over: str,
) -> tuple[Body | None, Callable[[Body], Body]]:
    done: Body = {}
    left: Body = {}
    for table, asked in body["RequestItems"].items():
        flags = part(len(entries(asked)))
        for into, wanted in ((done, flags), (left, [not flag for flag in flags])):
            if kept := list(compress(entries(asked), wanted)):
                into[table] = keeping(asked, kept)

    def answer(given: Body) -> Body:
        empty: Body = {"Responses": {}} if left_over == "UnprocessedKeys" else {}
        return {**empty, **given, left_over: left}

    return ({**body, "RequestItems": done} if done else None), answer


def _split_list(
    body: Body, part: Part, entries: str, answers: str, count: str
) -> tuple[Body | None, Callable[[Body], Body]]:
    flags = part(len(body[entries]))
    kept = list(compress(body[entries], flags))

    def answer(given: Body) -> Body:
        passed_on = iter(given.get(answers, ()))
        refused = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow down"}
        whole = [next(passed_on) if flag else refused for flag in flags]
        return {**given, answers: whole, count: sum("ErrorCode" in one for one in whole)}

    return ({**body, entries: kept} if kept else None), answer


def _split_messages(body: Body, part: Part) -> tuple[Body | None, Callable[[Body], Body]]:
    flags = part(len(body["Entries"]))
    kept = list(compress(body["Entries"], flags))
    left = [entry for entry, flag in zip(body["Entries"], flags, strict=True) if not flag]

    def answer(given: Body) -> Body:
        refused = [{"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"} for entry in left]
        return {"Successful": given.get("Successful", []), "Failed": [*given.get("Failed", []), *refused]}

    return ({**body, "Entries": kept} if kept else None), answer


def dumps(body: Body) -> bytes:
    """Encode a body for the wire."""
    return json.dumps(body).encode()
