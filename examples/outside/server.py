"""A server that answers by models of its own, asks Hindsight which of them serves, and logs what it answered.

``POST /decide {"instances": [{"prediction_id", "entity_id", "features", "occurred_at"?}]}``. Needs ``$API``,
``$APP_KEY``, ``$MODEL``, and in ``$VERSIONS`` a folder with a file a version, which ``train.py`` writes.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from skops.io import load

Instance = dict[str, Any]
FIRST_VERSION = "v1"
MAX_LOGGED = 250
ATTEMPTS = 6


def call(method: str, path: str, body: object = None, tag: str = "") -> tuple[Any, str]:
    """Call Hindsight; return the answer, None if it is that of the tag still, and its tag. Raises HTTPError."""
    request = urllib.request.Request(
        f"{os.environ['API']}/models/{os.environ['MODEL']}/{path}",
        None if body is None else json.dumps(body).encode(),
        {"x-api-key": os.environ["APP_KEY"], "content-type": "application/json", "if-none-match": tag},
        method=method,
    )
    for attempt in range(ATTEMPTS):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer), answer.headers.get("etag", "")
        except urllib.error.HTTPError as error:
            if error.code == 304:
                return None, tag
            if (error.code < 500 and error.code != 429) or attempt == ATTEMPTS - 1:
                raise
        except urllib.error.URLError:
            if attempt == ATTEMPTS - 1:
                raise
        time.sleep(0.2 * 2**attempt)
    raise AssertionError


class Serving:
    """The versions that serve: Hindsight's answer, asked for each time with the tag of the one before."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {"champion": {"version": FIRST_VERSION}}
        self._tag = ""

    def answering(self, instance: Instance) -> str:
        """Ask which version is to answer an instance: in a canary the entity decides."""
        if self._known.get("rollout", {}).get("mode") != "canary":
            return str(self._known["champion"]["version"])
        found, _ = call("GET", f"serving?entity_id={quote(instance['entity_id'])}")
        return str(found["answer"])

    def look(self) -> dict[str, Any]:
        """Ask who serves. Before Hindsight has heard of a version it is the one that is here."""
        try:
            found, self._tag = call("GET", "serving", tag=self._tag)
        except urllib.error.HTTPError as error:
            if error.code not in {404, 409}:
                raise
            return self._known
        self._known = found or self._known
        return self._known


class Versions:
    """The versions' models; each file is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._loaded = folder, dict[str, Any]()

    def answer(self, version: str, instance: Instance) -> dict[str, Any]:
        """Score an instance by a version, and decide."""
        if version not in self._loaded:
            self._loaded[version] = load(self._folder / f"{version}.skops")
        score = float(self._loaded[version].predict_proba([instance["features"]])[0, 1])
        return {"score": score, "decision": int(score >= 0.5)}


class Server:
    """The decisions: answered by who serves, logged before they are given."""

    def __init__(self, folder: Path) -> None:
        self._versions, self._serving, self._lock = Versions(folder), Serving(), Lock()

    def decide(self, instances: Sequence[Instance]) -> list[dict[str, Any]]:
        """Answer instances; the shadow beside the champion, if there is one, is asked too, and only logged."""
        with self._lock:
            rollout = self._serving.look().get("rollout")
            answering = [self._serving.answering(instance) for instance in instances]
        shadow = rollout["version"] if rollout is not None and rollout["mode"] == "shadow" else None
        logged = []
        for instance, version in zip(instances, answering, strict=True):
            row = {**instance, "model_version": version, **self._versions.answer(version, instance)}
            if shadow is not None:
                row["shadow"] = {"version": shadow, **self._versions.answer(shadow, instance)}
            logged.append(row)
        for start in range(0, len(logged), MAX_LOGGED):
            receipt, _ = call("POST", "predictions", {"predictions": logged[start : start + MAX_LOGGED]})
            if receipt["rejected"]:
                raise ValueError(f"a prediction was refused: {receipt['rejected'][0]}")
        return [{name: row[name] for name in ("prediction_id", "decision", "score", "model_version")} for row in logged]


def handler_of(server: Server) -> type[BaseHTTPRequestHandler]:
    """Build the handler of HTTP requests."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            try:
                status, answer = 200, {"decisions": server.decide(body["instances"])}
            except (OSError, ValueError) as error:
                status, answer = 503, {"error": str(error)}
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


if __name__ == "__main__":
    found = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), None)  # type: ignore[arg-type]
    found.RequestHandlerClass = handler_of(Server(Path(os.environ["VERSIONS"])))  # type: ignore[assignment]
    print(f"http://127.0.0.1:{found.server_address[1]}", flush=True)
    found.serve_forever()
