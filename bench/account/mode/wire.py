"""The wire of an account: latencies, and 403 for missing objects to callers that may not list.

Only calls of functions and workflows are held up, those signed by a role's session: what a bench reads as the
emulator's root in order to reconcile is no part of the account.
"""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.router import extract_access_key_id, extract_region

from bench.account.mode.settings import Mode
from local.forked.patching import replace, require

_SIGNED = re.compile(rb"Credential=ASIA[^/]*/\d+/[^/]+/([a-z0-9-]+)/")
_FORBIDDEN = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Answer = tuple[int, dict[str, str], bytes]


def install(mode: Mode) -> None:
    """Put latencies and refusals of missing objects into the emulator's process."""
    require(iam_evaluator, "enforce")
    replace(app, "app", "scope receive send", lambda original: slowed(original, mode, random.Random(0)))
    replace(app, "_dispatch_service_request", "method path headers body query_params request_id", _judged)


def slowed(original: Any, mode: Mode, rng: random.Random) -> Any:
    """Wrap an ASGI application so that its answer to a role's call takes as long as that service takes."""

    async def answer(scope: Message, receive: Any, send: Send) -> None:
        service = signed_for(scope)
        if service not in mode.latencies:
            await original(scope, receive, send)
            return
        due = time.monotonic() + rng.uniform(*mode.latencies[service])

        async def send_when_due(message: Message) -> None:
            if message["type"] == "http.response.start" and (left := due - time.monotonic()) > 0:
                await asyncio.sleep(left)
            await send(message)

        await original(scope, receive, send_when_due)

    return answer


def signed_for(scope: Message) -> str:
    """Find the service that a role's session signed a request for; an empty text for any other request."""
    for name, value in scope.get("headers", ()) if scope["type"] == "http" else ():
        if name.lower() == b"authorization" and (found := _SIGNED.search(value)):
            return found.group(1).decode()
    return ""


def _judged(original: Any) -> Any:
    async def dispatch(method: str, path: str, headers: dict[str, str], *rest: Any) -> Answer:
        answer: Answer = await original(method, path, headers, *rest)
        query_params = rest[1]
        is_read = method in {"GET", "HEAD"} and "/s3/aws4_request" in headers.get("authorization", "")
        bucket, _, key = path.lstrip("/").partition("/")
        # The answer to a HEAD carries no error code.
        is_missing = answer[0] == 404 and (method == "HEAD" or b"NoSuchKey" in answer[2])
        if not (is_read and key and is_missing) or may_list(headers, query_params, bucket, key):
            return answer
        kept = {name: value for name, value in answer[1].items() if name.lower() != "content-length"}
        return 403, {**kept, "Content-Type": "application/xml"}, _FORBIDDEN

    return dispatch


def may_list(headers: dict[str, str], query_params: Any, bucket: str, key: str) -> bool:
    """Check whether a caller may list a bucket at a key: S3 takes the missing key for the prefix that is asked for."""
    denied = iam_evaluator.enforce(
        extract_access_key_id(headers, query_params),
        "s3:ListBucket",
        "s3",
        extract_region(headers),
        resource_arn=f"arn:aws:s3:::{bucket}",
        service_context={"s3:prefix": key},
    )
    return denied is None
