"""Hostile requests, each with the answers that are right: drawn from a seed, of every kind as many as asked for."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

# Stands in every hostile text, so that it is found wherever it turns up.
MARK = "hOsTiLe"
NAMES = (
    f"../{MARK}",
    f"..%2f{MARK}",
    f"{MARK}/../../etc/passwd",
    f"{MARK}\x00",
    f'{MARK}\n{{"level":"INFO"}}',
    f"{MARK}\r\nx-api-key: y",
    f"{MARK}#prediction",
    f"{MARK}?x",
    f"{MARK}%",
    f"{MARK}%00",
    f"\u202e{MARK}",
    f"{MARK}\u2028",
    f"😀{MARK}",
    f"{MARK} ",
    f"<script>{MARK}</script>",
    f"'; DROP TABLE {MARK}; --",
    f"${{jndi:ldap://{MARK}}}",
    f"{{{{{MARK}}}}}",
    f".{MARK}",
    f"-{MARK}",
    f"_{MARK}",
    MARK * 40,
    f"~{MARK}",
    f"\x1b[31m{MARK}",
    f"{MARK}\\..\\",
    f"\u0000{MARK}",
    f"{MARK}\ufffd",
    f"*{MARK}*",
)
JSON_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "only spaces": b"   ",
    "garbage": f"{MARK} is no JSON".encode(),
    "cut off": b'{"events": [{"feedback_id": "f',
    "not a number": b'{"events": [{"feedback_id": "f", "prediction_id": "p", "name": "rating", "value": NaN}]}',
    "infinity": b'{"events": [{"feedback_id": "f", "prediction_id": "p", "name": "rating", "value": Infinity}]}',
    "minus infinity": b'{"events": [{"feedback_id": "f", "prediction_id": "p", "name": "rating", "value": -Infinity}]}',
    "beyond a double": b'{"events": [{"feedback_id": "f", "prediction_id": "p", "name": "rating", "value": 1e999}]}',
    "a huge integer": b'{"events": [{"feedback_id": "f", "prediction_id": "p", "name": "rating", "value": '
    + b"9" * 5000
    + b"}]}",
    "too deep": b"[" * 5000 + b"]" * 5000,
    "deep objects": b'{"a":' * 3000 + b"1" + b"}" * 3000,
    "lone surrogate": b'{"events": [{"feedback_id": "\\ud800", "prediction_id": "p", "name": "rating", "value": 1}]}',
    "surrogates the wrong way round": b'{"events": [{"feedback_id": "f", "prediction_id": "\\udc00\\ud800"}]}',
    "repeated key": b'{"events": [], "events": [{"feedback_id": "f"}]}',
    "not UTF-8": b'{"events": [{"feedback_id": "\xff\xfe"}]}',
    "UTF-16": '{"events": []}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + b'{"events": []}',
    "a list": b"[1, 2, 3]",
    "a text": b'"events"',
    "null": b"null",
    "no events": b'{"events": []}',
    "events are an object": b'{"events": {"0": {}}}',
    "an unknown field": f'{{"events": [], "{MARK}": 1}}'.encode(),
    "a prototype": b'{"__proto__": {"events": []}, "constructor": 1}',
}
CONTENT_TYPES = (
    "text/plain",
    "text/html",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/jsonp",
    "",
    "application/json;charset",
    "APPLICATION/PICKLE",
    "application/x-python-pickle",
)
APP_PATHS = ("predict", "predictions", "feedback")
FIELDS = {"predict": "instances", "predictions": "predictions", "feedback": "events"}


@dataclass(frozen=True, slots=True)
class Hostile:
    """A request that no well-meaning client makes, and what it may be answered."""

    kind: str
    what: str
    method: str
    path: str
    allowed: frozenset[int]
    audience: str | None = "app"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Targets:
    """What hostile requests are about: a model, and what belongs to another one.

    ``tokens`` are those of predictions of the ``guarded`` model, which takes no feedback without.
    """

    model: str
    other: str
    guarded: str
    tokens: Mapping[str, str]


def hostile_inputs(targets: Targets, seed: int, at_least: int) -> list[Hostile]:
    """Return hostile requests of every kind, drawn ones until there are enough."""
    model = targets.model
    rng = random.Random(seed)
    makers: list[Callable[[], Iterator[Hostile]]] = [
        _names,
        lambda: _items(model),
        lambda: _json(model),
        lambda: _types(model),
        lambda: _sizes(model),
        lambda: _keys(model),
        lambda: _tenants(model, targets.other),
        lambda: _methods(model),
        lambda: _tokens(targets.guarded, targets.tokens),
        lambda: _replayed(model, targets.tokens),
        lambda: _configurations(model),
    ]
    found = [one for make in makers for one in make()]
    while len(found) < at_least:
        found.append(_drawn(rng, model))
    rng.shuffle(found)
    return found


def _names() -> Iterator[Hostile]:
    for name in NAMES:
        told = quote(name, safe="")
        for method, path, audience in (
            ("GET", f"/models/{told}", "operator"),
            ("GET", f"/models/known/predictions/{told}", "operator"),
            ("POST", f"/models/{told}/feedback", "app"),
        ):
            body = b'{"events": [{"feedback_id": "f", "prediction_id": "p", "name": "rating", "value": 1}]}'
            yield Hostile(
                "name", f"{method} {name!r}", method, path, _REFUSED, audience, body=body * (method == "POST")
            )


def _items(model: str) -> Iterator[Hostile]:
    plain = {"feedback_id": "f", "prediction_id": "p", "name": "rating", "value": 1}
    for name in NAMES:
        for part in ("feedback_id", "prediction_id", "name", "source", "occurred_at"):
            if part == "source":  # any text may name a source, within its length
                continue
            yield _feedback(model, f"{part} {name!r}", {**plain, part: name})
    for value in ({}, [], {"a": 1}, "x" * 5000, 10**400, MARK, [[[[1]]]]):
        yield _feedback(model, f"value {str(value)[:40]}", {**plain, "value": value})
    features: Any
    for features in (None, [], {MARK: 1}, {"x": MARK}, {"x": [1]}, {"x": {"a": 1}}, {"x": 10**400}, {"x": True}):
        item = {"features": features, "score": 0.5, "model_version": "v"}
        body = json.dumps({"predictions": [item]}).encode()
        yield Hostile(
            "item", f"features {str(features)[:40]}", "POST", f"/models/{model}/predictions", _INVALID, body=body
        )


def _feedback(model: str, what: str, event: dict[str, Any]) -> Hostile:
    body = json.dumps({"events": [event]}).encode()
    return Hostile("item", what, "POST", f"/models/{model}/feedback", _INVALID, body=body)


def _json(model: str) -> Iterator[Hostile]:
    for what, body in JSON_BODIES.items():
        for path in APP_PATHS:
            yield Hostile("json", f"{path}: {what}", "POST", f"/models/{model}/{path}", _INVALID, body=body)
        allowed = _INVALID | _TOO_LARGE if len(body) > 16_384 else _INVALID
        yield Hostile("json", f"retrain: {what}", "POST", f"/models/{model}/retrain", allowed, "operator", body=body)


def _types(model: str) -> Iterator[Hostile]:
    for kind in CONTENT_TYPES:
        for path in APP_PATHS:
            body = json.dumps({FIELDS[path]: []}).encode()
            is_json = kind.split(";")[0].strip().lower() == "application/json"
            # Nothing can be predicted before a version serves: which of the two is told is all the same.
            allowed = _INVALID | {409} if is_json else frozenset({415})
            headers = {"content-type": kind} if kind else {}
            yield Hostile(
                "type", f"{path}: {kind!r}", "POST", f"/models/{model}/{path}", allowed, headers=headers, body=body
            )
    squeezed = {"content-type": "application/json", "content-encoding": "gzip"}
    yield Hostile(
        "type", "gzip", "POST", f"/models/{model}/feedback", _INVALID, headers=squeezed, body=b"\x1f\x8b\x08\x00"
    )


def _sizes(model: str) -> Iterator[Hostile]:
    too_many = json.dumps({"events": [{"feedback_id": f"f{n}"} for n in range(501)]}).encode()
    yield Hostile("size", "501 events", "POST", f"/models/{model}/feedback", _TOO_LARGE, body=too_many)
    large = b'{"events": [' + b" " * (1024 * 1024 + 1) + b"]}"
    yield Hostile("size", "over a mebibyte", "POST", f"/models/{model}/feedback", _TOO_LARGE, body=large)
    wordy = json.dumps({"reason": "x" * 20_000}).encode()
    yield Hostile("size", "a long reason", "POST", f"/models/{model}/retrain", _TOO_LARGE, "operator", body=wordy)
    for limit in ("0", "-1", "1e3", "9" * 400, "１", MARK, "", "0x10"):
        path = f"/models/{model}/versions?limit={quote(limit)}"
        yield Hostile("size", f"limit {limit[:20]!r}", "GET", path, frozenset({400}), "operator")


def _keys(model: str) -> Iterator[Hostile]:
    for path, method, audience in (
        ("retrain", "POST", "app"),
        ("versions", "GET", "app"),
        ("review", "GET", "app"),
        ("feedback", "POST", "reviewer"),
        ("history", "GET", "reviewer"),
        ("predict", "POST", "operator"),
        ("review", "POST", "operator"),
        ("", "GET", "reviewer"),
        ("rollback", "POST", "app"),
        ("quarantine", "GET", "reviewer"),
        ("relabel", "POST", "app"),
        ("", "PUT", "app"),
    ):
        yield Hostile(
            "key",
            f"{audience} at {path}",
            method,
            f"/models/{model}/{path}".rstrip("/"),
            _FORBIDDEN,
            audience,
            body=b"{}",
        )
        yield Hostile(
            "key", f"nobody at {path}", method, f"/models/{model}/{path}".rstrip("/"), _STRANGER, None, body=b"{}"
        )
        for key in (MARK, "' OR 1=1", "x" * 2000, "null"):
            headers = {"content-type": "application/json", "x-api-key": key}
            yield Hostile(
                "key",
                f"{key[:10]} at {path}",
                method,
                f"/models/{model}/{path}".rstrip("/"),
                _STRANGER,
                None,
                headers,
                b"{}",
            )


def _tenants(model: str, other: str) -> Iterator[Hostile]:
    for path in (
        f"predictions/{other}-p1",
        f"relabel/{other}-r1",
        f"quarantine/replays/{other}-x",
        f"datasets/{other}-d/verify",
    ):
        yield Hostile("tenant", path, "GET", f"/models/{model}/{path}", frozenset({404}), "operator")
    for path in (
        f"versions/{other}-v/approve",
        f"versions/{other}-v/reject",
        f"datasets/{other}-d/verify",
        f"relabel/{other}-r/resume",
    ):
        yield Hostile("tenant", path, "POST", f"/models/{model}/{path}", frozenset({404, 409}), "operator", body=b"{}")
    answer = json.dumps({"answers": [{"task_id": f"{other}-p1", "reviewer": "ann", "value": 1}]}).encode()
    yield Hostile(
        "tenant",
        "another's task",
        "POST",
        f"/models/{model}/review",
        frozenset({400, 404, 409}),
        "reviewer",
        body=answer,
    )
    back = json.dumps({"reason": "x", "to": f"{other}-v"}).encode()
    yield Hostile(
        "tenant", "another's version", "POST", f"/models/{model}/rollback", frozenset({404, 409}), "operator", body=back
    )


def _tokens(guarded: str, tokens: Mapping[str, str]) -> Iterator[Hostile]:
    """Yield feedback with tokens that are not its prediction's: none may count, each is told so in the receipt."""
    (mine, token), (_, other) = list(tokens.items())[:2]
    version, key, expiry, mac = token.split(".")
    forged: dict[str, Any] = {
        "none": None,
        "empty": "",
        "another prediction's": other,
        "cut off": token[:-1],
        "longer": token + "A",
        "another mac": ".".join((version, key, expiry, mac[::-1])),
        "no mac": ".".join((version, key, expiry, "")),
        "a later expiry": ".".join((version, key, str(10**12), mac)),
        "an expiry beyond numbers": ".".join((version, key, "9" * 400, mac)),
        "a negative expiry": ".".join((version, key, "-1", mac)),
        "another version": ".".join(("v2", key, expiry, mac)),
        "another key": ".".join((version, "0" * len(key), expiry, mac)),
        "upper case": token.upper(),
        "twice": f"{token}.{token}",
        "spaces": f" {token} ",
        "a mark": MARK,
        "huge": MARK * 1000,
        "not ASCII": "ｖ１.😀",
        "control characters": f"{token}\x00\n",
        "dots": "." * 400,
    }
    for what, value in forged.items():
        event = {"feedback_id": f"f-{len(what)}", "prediction_id": mine, "name": "rating", "value": 1}
        body = json.dumps({"events": [{**event, **({} if value is None else {"token": value})}]}).encode()
        allowed = frozenset({202, 400})
        yield Hostile("token", what, "POST", f"/models/{guarded}/feedback", allowed, body=body)
    for value in (7, True, [], {}):
        event = {"feedback_id": "f", "prediction_id": mine, "name": "rating", "value": 1, "token": value}
        body = json.dumps({"events": [event]}).encode()
        yield Hostile("token", f"a {type(value).__name__}", "POST", f"/models/{guarded}/feedback", _INVALID, body=body)


def _replayed(model: str, tokens: Mapping[str, str]) -> Iterator[Hostile]:
    """Yield tokens that travel in the place of a key."""
    for token in tokens.values():
        headers = {"content-type": "application/json", "x-api-key": token}
        path = f"/models/{model}/feedback"
        yield Hostile("token", "as a key", "POST", path, _STRANGER, None, headers, b'{"events": []}')


def _methods(model: str) -> Iterator[Hostile]:
    for method, path in (
        ("DELETE", "predict"),
        ("PATCH", "feedback"),
        ("PUT", "predictions"),
        ("GET", "predict"),
        ("POST", "versions"),
        ("DELETE", "history"),
        ("GET", "../../"),
        ("POST", "nothing"),
        ("GET", ".env"),
        ("GET", "%2e%2e/%2e%2e/admin"),
        ("OPTIONS", "feedback"),
        ("TRACE", "feedback"),
    ):
        yield Hostile("method", f"{method} {path}", method, f"/models/{model}/{path}", _NOWHERE, "operator", body=b"")


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
        "features: {x: {type: numeric}}\ntask: binary\nlabels: {rules: [{event: '\u202e', source: outcome}]}",
        "? [a]",
        "!!binary aGk=",
    )
    for text in texts:
        body = text.encode("utf-8", "surrogatepass")
        yield Hostile("configuration", text[:40], "PUT", f"/models/{model}", _INVALID, "operator", headers, body)


def _drawn(rng: random.Random, model: str) -> Hostile:
    """Return a body of drawn bytes, or of drawn characters where text is expected."""
    if rng.random() < 0.5:
        body = bytes(rng.randrange(256) for _ in range(rng.randint(1, 200)))
        path = rng.choice(APP_PATHS)
        return Hostile("bytes", "drawn", "POST", f"/models/{model}/{path}", _INVALID, body=body)
    text = "".join(
        chr(rng.choice([rng.randrange(32), rng.randrange(0x80, 0xD800), rng.randrange(0x10000, 0x11000)]))
        for _ in range(20)
    )
    return _feedback(model, "drawn text", {"feedback_id": text, "prediction_id": text, "name": text, "value": text})


_INVALID = frozenset({400})
_TOO_LARGE = frozenset({413})
_REFUSED = frozenset({400, 403, 404})
_FORBIDDEN = frozenset({403})
_STRANGER = frozenset({401, 403})
_NOWHERE = frozenset({403, 404, 405})
