"""Operators' lists and single records of a model, through the handler."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.get_model.app import handler
from hindsight.bootstrap import stores
from hindsight.config.store import SentDocument
from hindsight.core import compact_json
from hindsight.core.times import format_time
from hindsight.datasets.building.parquet_copies import store_parquet
from hindsight.datasets.dataset import read_manifest
from hindsight.monitoring.results.check import Check, CheckKind, Verdict, report_key
from hindsight.runtime.http.pages import token_of
from hindsight.testing.builders.configuration import configuration
from tests.functions.reads import MODEL, get, record_decisions
from tests.functions.requests import paths, send
from tests.functions.served import serve_version
from tests.unit.training.world import START


@pytest.fixture(autouse=True)
def model(deployed: None) -> None:
    stores.configurations().put(configuration(), datetime(2026, 1, 1, tzinfo=UTC))


LISTS = ["decisions", "versions", "deployments", "configurations", "datasets", "checks", "jobs"]


@pytest.mark.parametrize("route", LISTS)
def test_a_limit_out_of_range_is_named(route: str) -> None:
    for limit in ("0", "-1", "1001", "ten", "1.5", "", "٣"):
        status, answer = get(f"{MODEL}/{route}", limit=limit)
        assert (status, paths(answer)) == (400, ["limit"]), limit


@pytest.mark.parametrize("route", LISTS)
def test_token_that_no_list_answered_is_named(route: str) -> None:
    status, answer = get(f"{MODEL}/{route}", next_token="!")
    assert (status, paths(answer)) == (400, ["next_token"])


@pytest.mark.parametrize("route", ["decisions", "deployments", "configurations"])
def test_token_of_another_list_is_named(route: str) -> None:
    status, answer = get(f"{MODEL}/{route}", next_token=token_of("v20260301"))
    assert (status, paths(answer)) == (400, ["next_token"])


def test_an_unknown_model_is_404_on_every_route() -> None:
    singles = ("", "/predictions/p", "/configuration", "/versions/v", "/datasets/d")
    for route in (*singles, *(f"/{name}" for name in LISTS)):
        status, answer = get(f"unknown{route}")
        assert (status, answer["error"]["code"]) == (404, "not_found"), route


def test_models_are_listed_by_name_in_pages() -> None:
    for name in ("aardvark", "zebra"):
        stores.configurations().put(configuration().model_copy(update={"model": name}), START)
    version = serve_version(1)

    _, first = send(handler, "get_model", path="/models", queryStringParameters={"limit": "2"})
    again = {"limit": "2", "next_token": first["next_token"]}
    _, second = send(handler, "get_model", path="/models", queryStringParameters=again)

    assert [row["model"] for row in first["models"]] == ["aardvark", MODEL]
    assert [row["model"] for row in second["models"]] == ["zebra"]
    assert "next_token" not in second
    assert first["models"][1] == {
        "model": MODEL,
        "task": "binary",
        "revision": 1,
        "serving": "hindsight",
        "champion": version,
        "state": "serving",
        "attention": [],
    }


def test_configuration_is_answered_as_it_was_sent() -> None:
    text = "# by hand\nmodel: bike-demand\nretention: P400D\n"
    sent = SentDocument(text=text, content_type="application/yaml")
    changed = configuration().model_copy(update={"retention": timedelta(days=401)})
    stores.configurations().put(changed, START, sent)

    _, newest = get(f"{MODEL}/configuration")
    _, first = get(f"{MODEL}/configuration", revision="1")
    _, listed = get(f"{MODEL}/configurations")

    assert newest == {
        "model": MODEL,
        "revision": 2,
        "at": format_time(START),
        "actor": None,
        "reason": None,
        "content_type": "application/yaml",
        "document": text,
        "configuration": {"model": MODEL, "retention": "P400D"},
    }
    assert (first["revision"], first["content_type"]) == (1, "application/json")
    assert listed == {"configurations": [newest, first]}


def test_revision_that_is_none_is_refused() -> None:
    assert get(f"{MODEL}/configuration", revision="2")[0] == 404
    status, answer = get(f"{MODEL}/configuration", revision="zero")
    assert (status, paths(answer)) == (400, ["revision"])


@pytest.mark.parametrize(("route", "name"), [("decisions", "decision_id"), ("deployments", "sequence")])
def test_pages_of_a_list_hold_each_item_once(route: str, name: str) -> None:
    if route == "decisions":
        record_decisions(3)
    else:
        serve_version(1)
        serve_version(2)
        serve_version(3)
    whole = [row[name] for row in get(f"{MODEL}/{route}")[1][route]]

    _, first = get(f"{MODEL}/{route}", limit="2")
    _, second = get(f"{MODEL}/{route}", limit="2", next_token=first["next_token"])

    assert len(whole) == 3
    assert [row[name] for row in (*first[route], *second[route])] == whole
    assert "next_token" not in second


def test_one_version_is_shown_as_in_the_list_with_links_to_its_artefact() -> None:
    serve_version(1)
    name = serve_version(2)

    _, shown = get(f"{MODEL}/versions/{name}")
    _, first = get(f"{MODEL}/versions", limit="1")
    _, second = get(f"{MODEL}/versions", limit="1", next_token=first["next_token"])

    assert [shown["version"], "next_token" in second] == [name, False]
    assert shown.keys() == first["versions"][0].keys()
    assert f"{name}/model.skops?" in shown["artifact_url"]
    assert second["versions"][0]["version"] < name
    assert get(f"{MODEL}/versions/v-unknown")[0] == 404


def test_dataset_is_shown_with_its_manifest_and_the_labels_of_its_holdout_only_when_asked_for() -> None:
    serve_version(1)
    _, listed = get(f"{MODEL}/datasets")
    name = listed["datasets"][0]["dataset_id"]
    store_parquet(stores.lake(), read_manifest(stores.lake(), MODEL, name))

    _, shown = get(f"{MODEL}/datasets/{name}")
    _, labelled = get(f"{MODEL}/datasets/{name}", labels="true")

    assert shown["manifest"]["dataset_id"] == name
    assert shown["sources_total"] == len(shown["manifest"]["sources"]) > 0
    assert "manifest.json?" in shown["manifest_url"]
    links = {part: found.pop("url") for part, found in shown["parts"].items()}
    assert shown["parts"] == {part: {"format": "parquet", "labels": part == "train"} for part in links}
    assert "/train.parquet?" in links["train"]
    assert "/holdout-unlabelled.parquet?" in links["holdout"]
    assert "/holdout.parquet?" in labelled["parts"]["holdout"]["url"]
    assert get(f"{MODEL}/datasets/d-unknown")[0] == 404
    status, answer = get(f"{MODEL}/datasets/{name}", labels="perhaps")
    assert (status, paths(answer)) == (400, ["labels"])


def test_expired_dataset_keeps_its_manifest_and_no_link_to_a_part() -> None:
    serve_version(1)
    name = stores.registry().datasets(MODEL, 1)[0].dataset_id
    stores.registry().expire_dataset(MODEL, name, START)

    _, shown = get(f"{MODEL}/datasets/{name}", labels="true")

    assert shown["expired_at"] == format_time(START)
    assert [part.keys() for part in shown["parts"].values()] == [{"format", "labels"}] * 2


def keep_check(kind: CheckKind, at: datetime) -> None:
    """Keep a check and its report as the monitor does."""
    key = report_key(MODEL, kind, at)
    check = Check(model=MODEL, kind=kind, at=at, verdict=Verdict.OK, reason="fine", report_key=key)
    stores.lake().write_bytes(key, compact_json.dumps(check.to_plain()).encode(), "application/json")
    stores.check_store().put(check)


def test_checks_are_listed_newest_first_in_pages_by_kind_and_days() -> None:
    for hours in range(3):
        keep_check(CheckKind.DRIFT, START + timedelta(hours=20 * hours))
    keep_check(CheckKind.JOIN_HEALTH, START)

    _, first = get(f"{MODEL}/checks", limit="2")
    _, second = get(f"{MODEL}/checks", limit="2", next_token=first["next_token"])
    _, chosen = get(f"{MODEL}/checks", **{"kind": "drift", "from": "2026-03-01", "to": format_time(START)})

    found = [(row["kind"], row["at"]) for row in (*first["checks"], *second["checks"])]
    drift = [("drift", format_time(START + timedelta(hours=20 * hours))) for hours in (2, 1, 0)]
    assert found == [*drift[:2], ("join_health", format_time(START)), drift[2]]
    assert "next_token" not in second
    assert [(row["kind"], row["at"]) for row in chosen["checks"]] == drift[2:]
    assert first["checks"][0]["report_url"].startswith("https://")


@pytest.mark.parametrize(("name", "value"), [("kind", "mood"), ("from", "yesterday"), ("to", "2026-02-30")])
def test_check_filter_that_makes_no_sense_is_named(name: str, value: str) -> None:
    status, answer = get(f"{MODEL}/checks", **{name: value})
    assert (status, paths(answer)) == (400, [name])
