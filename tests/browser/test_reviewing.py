"""Reviewing in the console: by keyboard, one task at a time, with undo."""

import time
from typing import Any

from local.client import StackClient
from tests.browser.console import PHONE, Console, answers, reviewed_model
from tests.stack.waiting import eventually

ROWS: list[dict[str, Any]] = [
    {"age": 30 + at, "plan": "basic", "holiday": True, "note": f"row {at}"} for at in range(12)
]

IS_ANOTHER = "before => { const id = document.querySelector('.task .id'); return id && id.textContent !== before }"


def task_after(console: Console, before: str = "") -> str:
    """Wait for another task than the one before; name its prediction."""
    console.page.wait_for_function(IS_ANOTHER, arg=before)
    return console.page.locator(".task .id").inner_text()


def press(console: Console, key: str) -> None:
    console.page.keyboard.press(key)


def leave(console: Console) -> None:
    """Go to the list of queues, which sends what waits to be undone."""
    console.page.evaluate("location.hash = '#/review'")
    console.page.get_by_role("heading", name="Reviewing", exact=True).wait_for()


def test_wrong_key_and_an_apps_key_get_advice(console: Console) -> None:
    console.go()
    for key, answer in (("nonsense", "not known here"), (console.client.stack.keys["app"], "an apps' key")):
        console.page.get_by_label("Key").fill(key)
        console.page.get_by_role("button", name="Go on").click()
        console.sees(answer)
    assert console.faults() == []
    assert "nonsense" not in console.page.url


def test_reviewer_answers_by_keyboard_and_undoes_a_slip(console: Console, client: StackClient) -> None:
    reviewed_model(client, "by-keyboard", ROWS)
    console.review("by-keyboard")
    seen = [task_after(console)]
    began = time.monotonic()
    for key in "010s01010":
        press(console, key)
        seen.append(task_after(console, seen[-1]))
    assert time.monotonic() - began < 18, "30 tasks a minute"
    assert len(set(seen)) == 10
    press(console, "1")
    task_after(console, seen[-1])
    press(console, "u")
    console.page.locator(".task .id", has_text=seen[-1]).wait_for()
    press(console, "c")
    console.page.keyboard.type("a slip, s 0 u")
    press(console, "Escape")
    press(console, "0")
    task_after(console, seen[-1])
    assert console.page.locator("[data-done]").text_content() == "10"
    assert console.faults() == []
    leave(console)
    [last] = eventually(lambda: answers(client, "by-keyboard", seen[-1]))
    assert (last["value"], last["comment"], last["reviewer"]) == (0, "a slip, s 0 u", "ann")
    assert [one["value"] for one in answers(client, "by-keyboard", seen[1])] == [1]
    assert answers(client, "by-keyboard", seen[3]) == []


def test_key_that_comes_before_the_next_task_is_drawn_answers_no_unseen_task(
    console: Console, client: StackClient
) -> None:
    reviewed_model(client, "hasty", ROWS[:4])
    console.review("hasty")
    answered = task_after(console)
    press_twice = "() => [1, 2].forEach(() => document.body.dispatchEvent(new KeyboardEvent('keydown', PRESS)))"
    console.page.evaluate(press_twice.replace("PRESS", "{key: '1', bubbles: true}"))
    task_after(console, answered)
    assert console.page.locator("[data-done]").text_content() == "1"


def test_held_tasks_are_shown_again_after_a_reload_and_answers_are_not_lost(
    console: Console, client: StackClient
) -> None:
    reviewed_model(client, "reloaded", ROWS[:4])
    console.review("reloaded")
    answered = task_after(console)
    press(console, "1")
    task_after(console, answered)
    console.page.reload()
    console.sees("you held already")
    [given] = eventually(lambda: answers(client, "reloaded", answered))
    assert given["value"] == 1


def test_lapsed_lease_is_said_and_the_task_fetched_again(console: Console, client: StackClient) -> None:
    reviewed_model(client, "lapsing", ROWS[:1], lease="PT3S")
    console.review("lapsing")
    lapsed = task_after(console)
    console.sees("longer than its lease")
    assert task_after(console) == lapsed


def test_two_reviewers_get_different_tasks(console: Console, client: StackClient) -> None:
    reviewed_model(client, "shared", ROWS)
    console.review("shared", "ann")
    task_after(console)
    console.sees("in hand")
    held = client.call("GET", "models/shared/review?reviewer=ann", key="reviewer")["tasks"]
    console.open_tab()
    console.review("shared", "bob")
    assert task_after(console) not in {task["task_id"] for task in held}


def test_hostile_values_stay_text(console: Console, client: StackClient) -> None:
    hostile = "<img src=x onerror=document.title='owned'><b>bold</b>"
    reviewed_model(client, "hostile", [{**ROWS[0], "note": hostile}], guidelines=hostile)
    console.review("hostile", "<i>ann</i>")
    console.sees(hostile)
    assert console.page.locator("main img, main b, main i").count() == 0
    assert "owned" not in console.page.title()


def test_number_is_answered_in_a_field(console: Console, client: StackClient) -> None:
    reviewed_model(client, "regressed", ROWS[:2], task="regression")
    console.review("regressed")
    answered = task_after(console)
    console.page.keyboard.type("12.5")
    press(console, "Enter")
    task_after(console, answered)
    leave(console)
    given = eventually(lambda: answers(client, "regressed", answered))
    assert given[0]["value"] == 12.5


def test_class_is_found_by_search_on_a_phone(console: Console, client: StackClient) -> None:
    reviewed_model(client, "classified", ROWS[:3], task="multiclass")
    console.resize(PHONE)
    console.review("classified")
    first = task_after(console)
    console.page.keyboard.type("zebra")
    press(console, "Enter")
    second = task_after(console, first)
    console.page.keyboard.type("zeb")
    press(console, "Enter")
    task_after(console, second)
    assert console.fits(PHONE)
    assert console.faults() == []
    leave(console)
    given = eventually(lambda: answers(client, "classified", second))
    assert given[0]["value"] == "zebra"


def test_failing_api_loses_no_answer(console: Console, client: StackClient) -> None:
    reviewed_model(client, "failing", ROWS[:2])
    console.review("failing")
    answered = task_after(console)
    console.page.route("**/review/answers", lambda route: route.fulfill(status=503, body="{}"))
    press(console, "1")
    console.sees("will be sent again")
    console.page.unroute("**/review/answers")
    leave(console)
    given = eventually(lambda: answers(client, "failing", answered))
    assert given[0]["value"] == 1


def test_expired_key_is_asked_for_again_at_the_same_page(console: Console, client: StackClient) -> None:
    console.enter("reviewer", "review")
    console.page.get_by_role("heading", name="Reviewing", exact=True).wait_for()
    console.page.evaluate("sessionStorage.setItem('hindsight.keys', JSON.stringify({reviewer: 'gone'}))")
    console.page.reload()
    console.sees("not known any more")
    console.page.get_by_label("Key").fill(client.stack.keys["reviewer"])
    console.page.get_by_role("button", name="Go on").click()
    console.page.get_by_role("heading", name="Reviewing", exact=True).wait_for()
    assert console.page.url.endswith("#/review")
    assert client.stack.keys["reviewer"] not in console.page.url
