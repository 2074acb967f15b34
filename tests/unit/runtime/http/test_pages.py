from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from hypothesis import given
from hypothesis import strategies as st

from hindsight.core.errors import InvalidInput
from hindsight.runtime.http.pages import page, token_of


def request(**query: str) -> APIGatewayProxyEvent:
    return APIGatewayProxyEvent({"queryStringParameters": query or None})


def shown(names: list[str], most: int) -> list[list[str]]:
    """Read a list page by page, as a caller does."""
    pages, token = [], None
    while True:
        asked = page(request(limit=str(most), **({} if token is None else {"next_token": token})), default=5, most=50)
        rest = [name for name in names if asked.after is None or name > asked.after]
        body: dict[str, Any] = asked.of("names", rest[: asked.limit + 1], str, str)
        pages.append(body["names"])
        token = body.get("next_token")
        if token is None:
            return pages


@given(names=st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=12).map(sorted), most=st.integers(1, 5))
def test_pages_hold_every_item_once_in_order(names: list[str], most: int) -> None:
    pages = shown(names, most)

    assert [name for found in pages for name in found] == names
    assert all(len(found) == most for found in pages[:-1])
    assert len(pages) == max(1, -(-len(names) // most))


def test_page_ends_where_an_answer_can_carry_no_more() -> None:
    names = [f"{number}{'x' * 2_000_000}" for number in range(6)]
    body = page(request(limit="5"), default=5, most=50).of("names", names, lambda name: name[0], str)

    assert (body["names"], body["next_token"]) == (names[:2], token_of("1"))
    assert page(request(), default=5, most=50).of("names", ["x" * 7_000_000], str, len) == {"names": [7_000_000]}


@pytest.mark.parametrize("token", ["", "!", "/w==", token_of("é")[:-1], "a" * 1001])
def test_token_that_no_list_answered_is_refused_by_its_name(token: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        page(request(next_token=token), default=5, most=50)
    assert [fault.path for fault in refused.value.faults] == ["next_token"]
