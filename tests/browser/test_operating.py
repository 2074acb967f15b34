"""Operating in the console: every page, every action to its effect in the API, names that look like markup."""

import json
import re
from typing import Any

import pytest

from local.client import StackClient
from tests.browser.console import PHONE, WIDE, Console
from tests.browser.history import model_with_a_past

MODEL = "with-a-past"
PAGES = (
    "",
    f"models/{MODEL}",
    f"models/{MODEL}/checks",
    f"models/{MODEL}/decisions",
    f"models/{MODEL}/deployments",
    f"models/{MODEL}/versions",
    f"models/{MODEL}/versions/ours-2",
    f"models/{MODEL}/predictions",
    f"models/{MODEL}/predictions/p%2F1%20%3Cb%3E",
    f"models/{MODEL}/labels",
    f"models/{MODEL}/quarantine",
    f"models/{MODEL}/jobs",
    f"models/{MODEL}/configuration",
)


@pytest.fixture(scope="module", autouse=True)
def past(client: StackClient) -> None:
    model_with_a_past(client, MODEL)


def settle(console: Console) -> None:
    console.page.wait_for_function("() => !document.querySelector('.loading') && document.querySelector('h1')")


def status(client: StackClient) -> dict[str, Any]:
    found: dict[str, Any] = client.call("GET", f"models/{MODEL}", key="operator")
    return found


def confirm(console: Console, button: str, verb: str, reason: str = "because") -> None:
    """Press a button, give a reason in the dialog that it opens, and confirm."""
    console.page.get_by_role("button", name=button).first.click()
    dialog = console.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(reason)
    dialog.get_by_role("button", name=verb, exact=True).click()
    dialog.wait_for(state="detached")


def test_every_page_is_whole_accessible_and_fits_a_phone(console: Console) -> None:
    console.enter("operator")
    faults: dict[str, list[str]] = {}
    for path in PAGES:
        console.page.evaluate("path => { location.hash = `#/${path}` }", path)
        console.page.wait_for_timeout(50)
        settle(console)
        assert console.page.locator("[role=alert]").count() == 0, path
        assert console.page.locator("main b, main i, main img").count() == 0, path
        if found := console.faults():
            faults[path] = found
        assert console.fits(PHONE), path
        console.resize(WIDE)
    assert faults == {}


def test_current_tab_is_in_sight_on_a_phone(console: Console) -> None:
    console.enter("operator")
    console.resize(PHONE)
    for name in ("overview", "labels", "configuration"):
        path = "" if name == "overview" else f"/{name}"
        console.page.evaluate("path => { location.hash = `#/models/${path}` }", f"{MODEL}{path}")
        tab = console.page.locator("nav.tabs a[aria-current]", has_text=name.capitalize())
        box = tab.bounding_box()
        assert box is not None
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= PHONE[0], name


def test_configuration_sent_as_one_line_of_json_is_shown_in_several_and_is_unchanged(
    console: Console, client: StackClient
) -> None:
    sent = {
        "task": "binary",
        "features": {"age": {"type": "numeric"}},
        "labels": {"rules": [{"event": "churn", "window": "P30D"}]},
    }
    client.call("PUT", "models/sent-by-a-program", key="operator", json=sent)
    console.enter("operator", "models/sent-by-a-program/configuration")
    shown = console.page.get_by_label("Configuration", exact=True).input_value()
    assert json.loads(shown) == sent
    assert shown.startswith('{\n  "task": "binary",\n')
    assert console.page.get_by_role("button", name="Undo all changes").is_disabled()


def test_model_in_need_comes_first_and_leads_to_its_page(console: Console) -> None:
    console.enter("operator")
    card = console.page.locator(".cards li", has_text=MODEL)
    card.get_by_text("low performance").wait_for()
    card.get_by_text("limit 0.86").wait_for()
    needs = [item.locator(".badge.bad").count() > 0 for item in console.page.locator(".cards li .badges").all()]
    assert needs == sorted(needs, reverse=True)
    card.get_by_role("link").click()
    console.page.get_by_role("heading", name="What happened").wait_for()
    console.page.go_back()
    console.page.get_by_role("heading", name="Models").wait_for()


def test_timeline_zooms_and_its_points_open_their_pages(console: Console) -> None:
    console.enter("operator", f"models/{MODEL}")
    console.page.locator(".plot canvas").wait_for()
    console.page.get_by_text(re.compile(r"events in this span")).click()
    everything = console.page.locator(".events li").count()
    assert everything >= 8
    console.page.get_by_role("button", name="7 days").click()
    assert 0 < console.page.locator(".events li").count() < everything
    console.page.locator(".events a", has_text="promoted ours-2").first.click()
    console.page.get_by_role("heading", name="ours-2").wait_for()


def serve(client: StackClient, version: str) -> None:
    """Have a version serve, whatever the tests before did."""
    if status(client)["champion"] != version:
        path = f"models/{MODEL}/versions/{version}/promote"
        client.call("POST", path, key="operator", json={"reason": "the test begins with it"})


def test_champion_is_rolled_back_with_a_reason_in_five_clicks(console: Console, client: StackClient) -> None:
    serve(client, "ours-1")
    serve(client, "ours-2")
    console.enter("operator", f"models/{MODEL}")
    confirm(console, "Roll back", "Roll back", "accuracy fell")
    console.page.get_by_role("dialog").wait_for(state="detached")
    assert status(client)["champion"] == "ours-1"
    [newest, *_] = client.call("GET", f"models/{MODEL}/deployments", key="operator")["deployments"]
    assert (newest["reason"], newest["actor"]) == ("accuracy fell", "key:operator")


def test_version_is_promoted_by_a_persons_word(console: Console, client: StackClient) -> None:
    serve(client, "ours-2")
    console.enter("operator", f"models/{MODEL}/versions/ours-3")
    confirm(console, "Promote", "Promote")
    console.page.locator("h2 .badge", has_text="champion").wait_for()
    assert status(client)["champion"] == "ours-3"


def test_action_is_not_done_unless_it_is_confirmed(console: Console, client: StackClient) -> None:
    serve(client, "ours-2")
    console.enter("operator", f"models/{MODEL}/versions/ours-1")
    console.page.get_by_role("button", name="Promote").click()
    console.page.get_by_role("dialog").wait_for()
    console.page.keyboard.press("Escape")
    console.page.get_by_role("dialog").wait_for(state="detached")
    assert status(client)["champion"] == "ours-2"


def test_faults_of_a_configuration_are_shown_at_their_line_and_effects_before_it_is_stored(
    console: Console, client: StackClient
) -> None:
    text = (
        "task: binary\nserving: external\nfeatures:\n  age: {type: numeric}\n"
        "  plan: {type: categorical}\nlabels:\n  rules:\n    - {event: annotation, kind: manual}\n"
        "    - {event: churn, window: P30D}\n"
    )
    headers = {"content-type": "application/yaml"}
    client.call("PUT", f"models/{MODEL}", key="operator", data=text.encode(), headers=headers)
    console.enter("operator", f"models/{MODEL}/configuration")
    field = console.page.get_by_label("Configuration", exact=True)
    field.fill(text.replace("window: P30D", "windw: P30D"))
    console.page.get_by_role("button", name="line 9").click()
    assert console.page.get_by_role("button", name="Store").is_disabled()
    field.fill(text.replace("P30D", "P14D"))
    console.sees("labels that exist stay as the old rules made them".capitalize())
    console.page.locator(".diff", has_text="labels.rules[1].window").wait_for()
    confirm(console, "Store", "Store", "sooner")
    console.page.get_by_text("sooner").wait_for()
    stored = client.call("GET", f"models/{MODEL}/configuration", key="operator")
    assert ("P14D" in stored["document"], stored["reason"]) == (True, "sooner")


def test_refusal_of_the_api_is_said_in_the_dialog(console: Console) -> None:
    console.enter("operator", f"models/{MODEL}")
    console.page.route("**/retrain", lambda route: route.fulfill(status=503, body="{}"))
    console.page.get_by_role("button", name="Retrain").click()
    dialog = console.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("again")
    dialog.get_by_role("button", name="Retrain", exact=True).click()
    dialog.get_by_role("alert").wait_for()
    assert "503" in dialog.get_by_role("alert").inner_text()
    assert dialog.get_by_role("textbox").input_value() == "again"


def test_long_lists_come_in_pages(console: Console) -> None:
    def answer(route: Any) -> None:
        first = "next_token" not in route.request.url
        numbers = range(50) if first else range(50, 60)
        versions = [
            {"version": f"v{number}", "created_at": "2026-03-01T12:00:00Z", "metrics": {}, "gate": {}, "lineage": {}}
            for number in numbers
        ]
        route.fulfill(json={"versions": versions, **({"next_token": "more"} if first else {})})

    console.page.route(re.compile(r"/versions\?"), answer)
    console.enter("operator", f"models/{MODEL}/versions")
    console.page.get_by_text("v49").wait_for()
    console.page.get_by_role("button", name="Show more").click()
    console.page.get_by_text("v59").wait_for()
    assert console.page.locator("tbody tr").count() == 60
