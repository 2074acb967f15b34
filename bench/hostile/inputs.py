"""Hostile requests, each with the answers that are right: drawn from a seed, of every kind as many as asked for."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from bench.hostile.request import INVALID, NOWHERE, REFUSED, TOO_LARGE, Hostile, Targets
from bench.hostile.texts import APP_PATHS, CONTENT_TYPES, FIELDS, JSON_BODIES, MARK, NAMES
from bench.hostile.unauthorized import about_other_tenants, with_other_keys, with_other_tokens, with_tokens_for_keys
from hindsight.config.types import is_identifier


def hostile_inputs(targets: Targets, seed: int, at_least: int) -> list[Hostile]:
    """Build hostile requests of every kind, drawn ones until there are enough."""
    model = targets.model
    rng = random.Random(seed)
    makers: list[Callable[[], Iterator[Hostile]]] = [
        _names,
        lambda: _items(model),
        lambda: _json(model),
        lambda: _types(model),
        lambda: _sizes(model),
        lambda: with_other_keys(model),
        lambda: about_other_tenants(model, targets.other),
        lambda: _methods(model),
        lambda: with_other_tokens(targets.guarded, targets.tokens),
        lambda: with_tokens_for_keys(model, targets.tokens),
        lambda: _configurations(model),
    ]
    found = [one for make in makers for one in make()]
    while len(found) < at_least:
        found.append(_drawn(rng, model))
    rng.shuffle(found)
    return found


def _names() -> Iterator[Hostile]:
    for name in NAMES:
        quoted = quote(name, safe="")
        for method, path, audience in (
            ("GET", f"/models/{quoted}", "operator"),
            ("GET", f"/models/known/predictions/{quoted}", "operator"),
            ("POST", f"/models/{quoted}/feedback", "app"),
        ):
            body = b'{"events": [{"feedback_id": "f", "prediction_id": "p", "name": "rating", "value": 1}]}'
            yield Hostile("name", f"{method} {name!r}", method, path, REFUSED, audience, body=body * (method == "POST"))


def _items(model: str) -> Iterator[Hostile]:
    plain = {"feedback_id": "f", "prediction_id": "p", "name": "rating", "value": 1}
    for name in NAMES:
        for part in ("feedback_id", "prediction_id", "name", "source", "occurred_at"):
            if part == "source":  # any text may name a source, within its length
                continue
            if part.endswith("_id") and is_identifier(name):  # any that can be seen may be an id
                continue
            yield _feedback(model, f"{part} {name!r}", {**plain, part: name})
    for value in ({}, [], {"a": 1}, "x" * 5000, 10**400, MARK, [[[[1]]]]):
        yield _feedback(model, f"value {str(value)[:40]}", {**plain, "value": value})
    features: Any
    for features in (None, [], {MARK: 1}, {"x": MARK}, {"x": [1]}, {"x": {"a": 1}}, {"x": 10**400}, {"x": True}):
        item = {"features": features, "score": 0.5, "model_version": "v"}
        body = json.dumps({"predictions": [item]}).encode()
        yield Hostile(
            "item", f"features {str(features)[:40]}", "POST", f"/models/{model}/predictions", INVALID, body=body
        )


def _feedback(model: str, what: str, event: dict[str, Any]) -> Hostile:
    body = json.dumps({"events": [event]}).encode()
    return Hostile("item", what, "POST", f"/models/{model}/feedback", INVALID, body=body)


def _json(model: str) -> Iterator[Hostile]:
    for what, body in JSON_BODIES.items():
        for path in APP_PATHS:
            yield Hostile("json", f"{path}: {what}", "POST", f"/models/{model}/{path}", INVALID, body=body)
        allowed = INVALID | TOO_LARGE if len(body) > 16_384 else INVALID
        yield Hostile("json", f"retrain: {what}", "POST", f"/models/{model}/retrain", allowed, "operator", body=body)


def _types(model: str) -> Iterator[Hostile]:
    for kind in CONTENT_TYPES:
        for path in APP_PATHS:
            body = json.dumps({FIELDS[path]: []}).encode()
            is_json = kind.split(";")[0].strip().lower() == "application/json"
            # Nothing can be predicted before a version serves: either of the two errors is right.
            allowed = INVALID | {409} if is_json else frozenset({415})
            headers = {"content-type": kind} if kind else {}
            yield Hostile(
                "type", f"{path}: {kind!r}", "POST", f"/models/{model}/{path}", allowed, headers=headers, body=body
            )
    squeezed = {"content-type": "application/json", "content-encoding": "gzip"}
    yield Hostile(
        "type", "gzip", "POST", f"/models/{model}/feedback", INVALID, headers=squeezed, body=b"\x1f\x8b\x08\x00"
    )


def _sizes(model: str) -> Iterator[Hostile]:
    too_many = json.dumps({"events": [{"feedback_id": f"f{n}"} for n in range(501)]}).encode()
    yield Hostile("size", "501 events", "POST", f"/models/{model}/feedback", TOO_LARGE, body=too_many)
    large = b'{"events": [' + b" " * (1024 * 1024 + 1) + b"]}"
    yield Hostile("size", "over a mebibyte", "POST", f"/models/{model}/feedback", TOO_LARGE, body=large)
    wordy = json.dumps({"reason": "x" * 20_000}).encode()
    yield Hostile("size", "a long reason", "POST", f"/models/{model}/retrain", TOO_LARGE, "operator", body=wordy)
    for limit in ("0", "-1", "1e3", "9" * 400, "１", MARK, "", "0x10"):
        path = f"/models/{model}/versions?limit={quote(limit)}"
        yield Hostile("size", f"limit {limit[:20]!r}", "GET", path, frozenset({400}), "operator")


def _methods(model: str) -> Iterator[Hostile]:
    for method, path in (
        ("DELETE", "predict"),
        ("PATCH", "feedback"),
        ("PUT", "predictions"),
        ("GET", "predict"),
        ("PUT", "versions"),
        ("DELETE", "deployments"),
        ("GET", "../../"),
        ("POST", "nothing"),
        ("GET", ".env"),
        ("GET", "%2e%2e/%2e%2e/admin"),
        ("OPTIONS", "feedback"),
        ("TRACE", "feedback"),
    ):
        yield Hostile("method", f"{method} {path}", method, f"/models/{model}/{path}", NOWHERE, "operator", body=b"")


def _configurations(model: str) -> Iterator[Hostile]:
    headers = {"content-type": "application/yaml"}
    texts = (
        "a: &a [*a]",
        "x: !!python/object/apply:os.system ['id']",
        "&a [" * 300,
        "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b]",
        "task: binary",
        "- 1",
        "%YAML 9",
        "\x00",
        f"{MARK}: 1",
        "features: {'../x': {type: numeric}}",
        "retention: P99999999999Y",
        "features: {x: {type: numeric}}\ntask: binary\nlabels: {rules: [{event: '\u202e', kind: outcome}]}",
        "? [a]",
        "!!binary aGk=",
    )
    for text in texts:
        body = text.encode("utf-8", "surrogatepass")
        yield Hostile("configuration", text[:40], "PUT", f"/models/{model}", INVALID, "operator", headers, body)


def _drawn(rng: random.Random, model: str) -> Hostile:
    """Draw a body of bytes, or of characters where text is expected."""
    if rng.random() < 0.5:
        body = bytes(rng.randrange(256) for _ in range(rng.randint(1, 200)))
        path = rng.choice(APP_PATHS)
        return Hostile("bytes", "drawn", "POST", f"/models/{model}/{path}", INVALID, body=body)
    text = "".join(
        chr(rng.choice([rng.randrange(32), rng.randrange(0x80, 0xD800), rng.randrange(0x10000, 0x11000)]))
        for _ in range(20)
    )
    return _feedback(model, "drawn text", {"feedback_id": text, "prediction_id": text, "name": text, "value": text})
