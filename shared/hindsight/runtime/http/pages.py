"""Pages of lists: a limit and an opaque token in, the items and the token of the next page out."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from hindsight.core.compact_json import MAX_ANSWER_BYTES, answer_bytes
from hindsight.core.errors import InvalidInput
from hindsight.core.times import parse_time
from hindsight.runtime.http.requests import limit

T = TypeVar("T")
MAX_TOKEN = 1_000
MAX_PAGE_BYTES = MAX_ANSWER_BYTES - 500_000  # beside the page an answer has counts, or the newest of something
_MAX_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Page:
    """A page that a caller asks for: at most ``limit`` items after the one named, from the first one on without."""

    limit: int
    after: str | None = None

    @property
    def after_number(self) -> int | None:
        """The number that the page begins after, None from the first item on. Raises InvalidInput."""
        if self.after is None:
            return None
        if not (self.after.isascii() and self.after.isdigit() and len(self.after) <= _MAX_DIGITS):
            raise _refused()
        return int(self.after)

    @property
    def after_moment(self) -> tuple[datetime, str] | None:
        """The moment and the id, with ``#`` between them, that the page begins after. Raises InvalidInput."""
        if self.after is None:
            return None
        moment, _, name = self.after.partition("#")
        try:
            return parse_time(moment), name
        except InvalidInput as error:
            raise _refused() from error

    def of(self, name: str, items: Sequence[T], cursor: Callable[[T], str], show: Callable[[T], Any]) -> dict[str, Any]:
        """Show the first ``limit`` items under a name, as many as fit, with ``next_token`` where there are more.

        ``items`` are up to one more than the page holds; ``cursor`` names an item so that a page can begin after it.
        """
        shown, room = list[Any](), MAX_PAGE_BYTES
        for item in items[: self.limit]:
            entry = show(item)
            room -= answer_bytes(entry)
            if shown and room < 0:
                break
            shown.append(entry)
        more = len(items) > len(shown)
        return {name: shown} | ({"next_token": token_of(cursor(items[len(shown) - 1]))} if more else {})


def page(event: APIGatewayProxyEvent, *, default: int, most: int) -> Page:
    """Read the page that the query asks for by ``limit`` and ``next_token``. Raises InvalidInput."""
    token = (event.query_string_parameters or {}).get("next_token")
    return Page(limit(event, default=default, most=most), None if token is None else _cursor(token))


def token_of(cursor: str) -> str:
    """Write a cursor as a token that is safe in an address.

    >>> token_of("v20260301T120000Z-18ac3e73-ridge")
    'djIwMjYwMzAxVDEyMDAwMFotMThhYzNlNzMtcmlkZ2U'
    """
    return base64.urlsafe_b64encode(cursor.encode()).decode().rstrip("=")


def _cursor(token: str) -> str:
    try:
        if not 0 < len(token) <= MAX_TOKEN:
            raise ValueError("no token is that long")
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise _refused() from error


def _refused() -> InvalidInput:
    return InvalidInput.in_query("next_token", "is not a token that a list has answered")
