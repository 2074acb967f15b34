"""Ids of any printable text over HTTP: through API Gateway's paths, its authorizer and the table."""

import http.client
import json
from urllib.parse import quote, urlsplit

from hindsight.config.parse import dump_configuration
from hindsight.core.times import format_time
from local.client import StackClient
from tests.unit.labels.builders import NOON, configuration

MODEL = "any-identifiers"
IDS = (
    "a/b",
    "a%2Fb",
    "100 %",
    "#1?x=y",
    "..",
    "Zoë 👩\u200d🚀",
    "x/review",
    "x/predict",
    "-_~'\"\\<b>",
    "\U0001f9ff" * 128,
)


def test_ids_of_any_text_are_explained_by_their_path(client: StackClient) -> None:
    client.call("PUT", f"models/{MODEL}", key="operator", json=dump_configuration(configuration(model=MODEL)))
    items = [
        {"prediction_id": name, "features": {}, "score": 0.5, "model_version": name, "occurred_at": format_time(NOON)}
        for name in IDS
    ]
    logged = client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": items})
    assert logged == {"accepted": list(IDS), "rejected": []}

    explained = {name: _get(client, f"models/{MODEL}/predictions/{_quoted(name)}") for name in IDS}
    assert {name: (status, body["prediction"]["prediction_id"]) for name, (status, body) in explained.items()} == {
        name: (200, name) for name in IDS
    }
    assert _get(client, f"models/{MODEL}/predictions/a/b")[0] in {403, 404}
    assert (
        _get(client, f"models/{MODEL}/predictions/{quote(_quoted('a/b'), safe='')}")[1]["prediction"]["prediction_id"]
        == "a%2Fb"
    )


def _quoted(name: str) -> str:
    return quote(name, safe="").replace(".", "%2E")


def _get(client: StackClient, path: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Ask by a path as it is: what a client makes of ``..`` is its own."""
    target = urlsplit(client.stack.api_url)
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
    try:
        headers = {"x-api-key": client.stack.keys["operator"]}
        connection.request("GET", f"{target.path.rstrip('/')}/{path}", headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
