"""The apps on a bad day: they send, and send again exactly what was not acknowledged, with the same ids."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from bench.chaos.traffic import Item, Traffic, is_unreadable, pages

_SENDERS = 4
_LARGEST_CALL = 250
_TIMEOUT_SECONDS = 60
_MAX_ATTEMPTS = 60
_LARGEST_PAUSE_SECONDS = 2.0
_SENT_TWICE = 0.1


class NotAcknowledged(Exception):
    """A call was refused for good, or never taken."""


@dataclass
class Apps:
    """Apps of one model behind a key; ``url`` is that of the API, the faults before it."""

    url: str
    key: str
    traffic: Traffic
    accepted: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    calls: int = 0
    senders: int = _SENDERS
    # How often each status was answered that is tried again, 0 where there was no answer.
    refused: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._local = threading.local()

    def send(self, rng: random.Random) -> None:
        """Send everything: first most predictions, then the feedback, and those last that their feedback overtook."""
        early = self.traffic.early
        logged = self.traffic.predictions
        first = [item for name, item in logged.items() if name not in early]
        self.send_all("predictions", first, "prediction_id", rng)
        self.send_all("feedback", self.traffic.feedback, "feedback_id", rng)
        self.send_all("predictions", [logged[name] for name in sorted(early)], "prediction_id", rng)

    def send_all(
        self, kind: str, items: list[Item], identity: str, rng: random.Random, largest: int = _LARGEST_CALL
    ) -> None:
        """Send items in calls of drawn sizes, some twice, until each is acknowledged. Raises NotAcknowledged."""
        calls = list(pages(items, rng, largest))
        # An app that crashed before it noted the answer sends the call again.
        calls += rng.sample(calls, int(len(calls) * _SENT_TWICE))
        rng.shuffle(calls)
        with ThreadPoolExecutor(self.senders) as senders:
            list(senders.map(lambda page: self._send(kind, page, identity), calls))

    def _send(self, kind: str, page: list[Item], identity: str) -> None:
        body = {"events" if kind == "feedback" else kind: page}
        for attempt in range(_MAX_ATTEMPTS):
            receipt = self._post(kind, body)
            if receipt is None:
                time.sleep(min(_LARGEST_PAUSE_SECONDS, 0.05 * 2**attempt))
                continue
            with self._lock:
                self.accepted.update(receipt["accepted"])
                self.rejected.update(page[one["index"]][identity] for one in receipt["rejected"])
            return
        raise NotAcknowledged(f"{len(page)} {kind} were not acknowledged in {_MAX_ATTEMPTS} attempts")

    def _post(self, kind: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Read the receipt, None where there is none and the call is to be made again. Raises NotAcknowledged."""
        with self._lock:
            self.calls += 1
        url = f"{self.url}/models/{self.traffic.model}/{kind}"
        try:
            answer = self._session().post(url, json=body, headers={"x-api-key": self.key}, timeout=_TIMEOUT_SECONDS)
        except requests.RequestException:
            self._note(0)
            return None
        if answer.status_code == 429 or answer.status_code >= 500:
            self._note(answer.status_code)
            return None
        if answer.status_code == 400 and all(is_unreadable(item) for item in body.get("events", [{}])):
            # A call without any valid item is refused whole; what it held is kept all the same.
            return {"accepted": [], "rejected": [{"index": index} for index in range(len(body["events"]))]}
        if answer.status_code != 202:
            raise NotAcknowledged(f"{kind} answered {answer.status_code}: {answer.text[:500]}")
        receipt: dict[str, Any] = answer.json()
        return receipt

    def _note(self, status: int) -> None:
        with self._lock:
            self.refused[status] += 1

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        session: requests.Session = self._local.session
        return session
