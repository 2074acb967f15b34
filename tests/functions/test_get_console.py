"""The console's files: which there are, how they are kept, and what a browser may do with them."""

import gzip
import json
import re
from typing import Any

import pytest

from functions.get_console.app import files, handler
from hindsight.monitoring.results.check import Verdict
from hindsight.runtime.http.static_files import CONTENT_TYPES
from tests.functions.requests import request

MAX_COMPRESSED_BYTES = 150_000

IMPORT = re.compile(r'\b(?:import|export)\b[^;"`]*?\bfrom\s*"([^"]+)"')


def fetch(name: str, **headers: str) -> dict[str, Any]:
    changes = {"resource": "/console/{file+}", "path": f"/console/{name}", "pathParameters": {"file": name}}
    return request(handler, "get_console", headers=headers, **changes)


def header(answer: dict[str, Any], name: str) -> str:
    [value] = next(value for key, value in answer["multiValueHeaders"].items() if key.lower() == name)
    return str(value)


def test_page_is_answered_without_a_key_and_asked_for_each_time() -> None:
    answer = request(handler, "get_console")
    assert (answer["statusCode"], header(answer, "content-type")) == (200, "text/html; charset=utf-8")
    assert header(answer, "cache-control") == "no-cache"
    assert "{{" not in answer["body"]


def test_every_file_that_the_page_names_is_there_and_kept_for_good() -> None:
    names = re.findall(r'(?:href|src)="console/([^"]+)"', request(handler, "get_console")["body"])
    assert len(names) > 5
    for name in names:
        answer = fetch(name)
        assert (answer["statusCode"], "immutable" in header(answer, "cache-control")) == (200, True), name


def test_every_import_of_a_module_leads_to_a_file() -> None:
    for name, text in files().texts.items():
        for imported in IMPORT.findall(text) if name.endswith(".js") else []:
            folder, _, _ = name.rpartition("/")
            assert imported.startswith("./"), (name, imported)
            assert f"{folder}/{imported[2:]}".lstrip("/") in files().texts, (name, imported)


@pytest.mark.parametrize(
    ("verdict", "tone"),
    [
        (Verdict.OK, ["good"]),
        (Verdict.SUSPECT, ["warn"]),
        (Verdict.DRIFT, ["bad"]),
        (Verdict.LOW, ["bad"]),
        (Verdict.INSUFFICIENT, []),
    ],
)
def test_badge_of_a_verdict_has_its_tone(verdict: Verdict, tone: list[str]) -> None:
    tones = re.findall(r"^  (good|bad|warn): (\[.*\]),$", files().texts["ui.js"], re.MULTILINE)
    assert [name for name, words in tones if any(word in verdict for word in json.loads(words))] == tone


def test_nothing_inline_and_nothing_from_elsewhere_is_allowed() -> None:
    policy = header(request(handler, "get_console"), "content-security-policy")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    page = request(handler, "get_console")["body"]
    assert not re.search(r"<style|<script>|\son\w+=|style=", page)


def test_unchanged_file_is_not_sent_again() -> None:
    tag = header(fetch("app.js"), "etag")
    again = fetch("app.js", **{"if-none-match": tag})
    assert (again["statusCode"], again["body"], header(again, "etag")) == (304, "", tag)


def test_no_other_file_can_be_read() -> None:
    for name in (
        "../app.py",
        "..%2Fapp.py",
        "/etc/passwd",
        "static/index.html",
        "vendor",
        "vendor/../../app.py",
        "x.js",
    ):
        assert fetch(name)["statusCode"] == 404, name
        assert fetch(f"{files().digest}/{name}")["statusCode"] == 404, name


def test_file_of_another_deployment_is_not_mistaken_for_this_ones() -> None:
    assert fetch("0123456789abcdef/app.js")["statusCode"] == 404


def test_files_are_small() -> None:
    compressed = {name: len(gzip.compress(text.encode(), 6)) for name, text in files().texts.items()}
    assert sum(compressed.values()) < MAX_COMPRESSED_BYTES, compressed
    assert {f".{name.rpartition('.')[2]}" for name in compressed} <= CONTENT_TYPES.keys()


def test_caller_is_named_by_the_audience_of_the_key() -> None:
    answer = request(handler, "get_openapi", resource="/caller", path="/caller")
    assert (answer["statusCode"], json.loads(answer["body"])) == (
        200,
        {"audience": "operator", "actor": "key:operator"},
    )


def test_caller_without_a_key_is_refused() -> None:
    answer = request(handler, "get_console", resource="/caller", path="/caller")
    assert answer["statusCode"] == 403
