"""Unauthorized requests: keys of other audiences, ids of other tenants, forged tokens."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bench.hostile.request import FORBIDDEN, INVALID, NOT_ALLOWED, Hostile
from bench.hostile.texts import MARK


def with_other_keys(model: str) -> Iterator[Hostile]:
    """Build requests with the key of another audience, with none, and with invented ones."""
    for path, method, audience in (
        ("retrain", "POST", "app"),
        ("versions", "GET", "app"),
        ("review", "GET", "app"),
        ("feedback", "POST", "reviewer"),
        ("deployments", "GET", "reviewer"),
        ("predict", "POST", "operator"),
        ("review/leases", "POST", "operator"),
        ("review/leases", "POST", "app"),
        ("review/answers", "POST", "operator"),
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
            FORBIDDEN,
            audience,
            body=b"{}",
        )
        yield Hostile(
            "key", f"no key at {path}", method, f"/models/{model}/{path}".rstrip("/"), NOT_ALLOWED, None, body=b"{}"
        )
        for key in (MARK, "' OR 1=1", "x" * 2000, "null"):
            headers = {"content-type": "application/json", "x-api-key": key}
            yield Hostile(
                "key",
                f"{key[:10]} at {path}",
                method,
                f"/models/{model}/{path}".rstrip("/"),
                NOT_ALLOWED,
                None,
                headers,
                b"{}",
            )


def about_other_tenants(model: str, other: str) -> Iterator[Hostile]:
    """Build requests at one model about what belongs to another."""
    for path in (
        f"predictions/{other}-p1",
        f"jobs/relabelling-{other}",
        f"jobs/erasure-{other}",
        f"datasets/{other}-d",
    ):
        yield Hostile("tenant", path, "GET", f"/models/{model}/{path}", frozenset({404}), "operator")
    for path in (
        f"versions/{other}-v/approve",
        f"versions/{other}-v/reject",
        f"datasets/{other}-d/verify",
        f"jobs/relabelling-{other}/resume",
    ):
        yield Hostile("tenant", path, "POST", f"/models/{model}/{path}", frozenset({404, 409}), "operator", body=b"{}")
    answer = json.dumps({"answers": [{"task_id": f"{other}-p1", "reviewer": "ann", "value": 1}]}).encode()
    yield Hostile(
        "tenant",
        "another's task",
        "POST",
        f"/models/{model}/review/answers",
        frozenset({400, 404, 409}),
        "reviewer",
        body=answer,
    )
    back = json.dumps({"reason": "x", "to": f"{other}-v"}).encode()
    yield Hostile(
        "tenant", "another's version", "POST", f"/models/{model}/rollback", frozenset({404, 409}), "operator", body=back
    )


def with_other_tokens(guarded: str, tokens: Mapping[str, str]) -> Iterator[Hostile]:
    """Build feedback with tokens that are not its prediction's: none may count, and each receipt says so."""
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
        yield Hostile("token", f"a {type(value).__name__}", "POST", f"/models/{guarded}/feedback", INVALID, body=body)


def with_tokens_for_keys(model: str, tokens: Mapping[str, str]) -> Iterator[Hostile]:
    """Build requests with tokens in the place of a key."""
    for token in tokens.values():
        headers = {"content-type": "application/json", "x-api-key": token}
        path = f"/models/{model}/feedback"
        yield Hostile("token", "as a key", "POST", path, NOT_ALLOWED, None, headers, b'{"events": []}')
