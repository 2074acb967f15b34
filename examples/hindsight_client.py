"""A client of the HTTP API for apps, to copy into yours: Python's own library is all it needs (docs/clients.md)."""

import json
import os
import random
import time
import uuid
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

Item = dict[str, Any]
MAX_ITEMS = 500
MAX_BYTES = {"instances": 3_584 * 1024, "predictions": 3_584 * 1024, "events": 1024 * 1024}
FIRST_PAUSE, LONGEST_PAUSE, TIMEOUT = 0.2, 20.0, 35.0


class CallRefused(Exception):
    """An answer that is final, or the last one of a call that kept failing."""

    def __init__(self, status: int, error: Item) -> None:
        super().__init__(f"{status} {error.get('code', '')}: {error.get('message', '')}")
        self.status, self.code, self.details = status, error.get("code", ""), error.get("details", [])


class Hindsight:
    """One model as its app sees it; ``patience`` is for how many seconds a call that fails is sent again."""

    def __init__(self, model: str, api: str = "", key: str = "", patience: float = 60.0) -> None:
        self.url = f"{(api or os.environ['API']).rstrip('/')}/models/{quote(model, safe='')}"
        self.headers = {"x-api-key": key or os.environ["APP_KEY"], "content-type": "application/json"}
        self.patience = patience

    def predict(self, instances: list[Item]) -> list[Item]:
        """Have instances scored. Raises CallRefused, also for one invalid instance, and OSError without an answer."""
        answer = self._send("predict", "instances", "prediction_id", instances)
        return list(answer["predictions"])

    def log(self, predictions: list[Item]) -> Item:
        """Log predictions made elsewhere; returns what was ``accepted`` and ``rejected``. Raises as ``predict``."""
        return self._send("predictions", "predictions", "prediction_id", predictions)

    def feedback(self, events: list[Item]) -> Item:
        """Send feedback; returns what was ``accepted`` and ``rejected``. Raises as ``predict``."""
        return self._send("feedback", "events", "feedback_id", events)

    def _send(self, route: str, name: str, id_field: str, items: list[Item]) -> Item:
        """Send items in as many calls as they take, and put the answers together; each item gets its id first."""
        whole: Item = {"predictions": []} if route == "predict" else {"accepted": [], "rejected": []}
        start = 0
        for batch in _batches([{id_field: str(uuid.uuid4()), **item} for item in items], MAX_BYTES[name]):
            try:
                answer = self._call(route, f'{{"{name}": [{", ".join(batch)}]}}'.encode())
            except CallRefused as refused:
                if route == "predict" or not any(one["path"].startswith(f"{name}[") for one in refused.details):
                    raise
                answer = {"rejected": _all_rejected(refused, name, len(batch))}
            for field, value in answer.items():
                if isinstance(value, dict):  # tokens by prediction
                    whole.setdefault(field, {}).update(value)
                    continue
                moved = [one | {"index": one["index"] + start} if "index" in one else one for one in value]
                whole.setdefault(field, []).extend(moved)
            start += len(batch)
        return whole

    def _call(self, route: str, body: bytes) -> Item:
        """Make one call, again after a 429, a 5xx or a lost connection, until it succeeds or patience ends."""
        deadline, longest = time.monotonic() + self.patience, FIRST_PAUSE
        while True:
            asked = 0.0
            try:
                with urlopen(Request(f"{self.url}/{route}", body, self.headers), timeout=TIMEOUT) as answer:
                    return dict(json.load(answer))
            except HTTPError as error:
                failure: Exception = _refusal(error)
                if error.code != 429 and error.code < 500:
                    raise failure from None
                after = error.headers.get("retry-after", "")
                asked = float(after) if after.isdigit() else 0.0
            except (OSError, HTTPException, ValueError) as error:  # no answer, or half of one
                failure = error if isinstance(error, OSError) else OSError(str(error))
            pause = asked + random.uniform(0, longest)
            if time.monotonic() + pause > deadline:
                raise failure
            time.sleep(pause)
            longest = min(2 * longest, LONGEST_PAUSE)


def _batches(items: list[Item], max_bytes: int) -> Iterator[list[str]]:
    """Write items as JSON, as many together as one call takes; one that is too large goes alone, and is refused."""
    batch, size = list[str](), 64
    for text in (json.dumps(item, allow_nan=False) for item in items):
        if batch and (len(batch) == MAX_ITEMS or size + len(text) + 2 > max_bytes):
            yield batch
            batch, size = [], 64
        batch.append(text)
        size += len(text) + 2
    if batch:
        yield batch


def _all_rejected(refused: CallRefused, name: str, count: int) -> list[Item]:
    """List the rejections of a batch without one valid item, which the API answers with a 400, not in a 202."""
    faults = {one["path"].partition("]")[0]: one for one in refused.details}
    said = {"code": refused.code, "message": str(refused)}
    return [{"index": index, **said, **faults.get(f"{name}[{index}", {})} for index in range(count)]


def _refusal(error: HTTPError) -> CallRefused:
    try:
        return CallRefused(error.code, json.load(error)["error"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError):  # a proxy's page
        return CallRefused(error.code, {"message": error.reason})
