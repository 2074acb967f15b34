"""The API keys of a deployment by audience, recognised by digests that are kept once they are known.

A key's value never changes (a new generation has new ids), so each is read once in the life of a deployment. API
Gateway's own interface gives ten reads a second to a whole account: no flood of calls may exhaust them.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from hindsight.core.errors import Unavailable
from hindsight.runtime.http.audiences import Audience

KeyId = tuple[Audience, str]

LOOKUP_SECONDS = 1.0
"""While digests are missing, a process looks for them at most once in this time, and refuses for now in between."""
GONE_SECONDS = 60.0
"""A key that was not found is asked for again after this time: it may have been made a moment ago."""
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.4


class KeyDigests(Protocol):
    """The digests that all processes share."""

    def known(self, key_ids: Sequence[str]) -> dict[str, bytes]:
        """Read the stored digests of some keys. Raises Unavailable."""

    def keep(self, key_id: str, digest: bytes) -> None:
        """Keep the digest of a key. Raises Unavailable."""

    def take_turn(self, now: float) -> bool:
        """Take the turn to read values, which one process has every few seconds. Raises Unavailable."""


class KeyValues(Protocol):
    """The values of keys, which can be read seldom."""

    def value(self, key_id: str) -> str | None:
        """Read a key's value, None if there is no such key. Raises Unavailable."""


class ApiKeyring:
    """The good keys of a deployment."""

    def __init__(
        self,
        key_ids: Sequence[KeyId],
        digests: KeyDigests,
        values: KeyValues,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._key_ids, self._store, self._values = key_ids, digests, values
        self._clock, self._sleep = clock, sleep
        self._digests: dict[str, bytes] = {}
        self._gone: dict[str, float] = {}
        self._next_lookup = float("-inf")

    def audience_of(self, key: str) -> Audience | None:
        """Find the audience of a key, None for an unknown key. Raises Unavailable while digests are missing."""
        found = self._find(key)
        if found is None and self._missing():
            self._look_up()
            found = self._find(key)
        if found is None and self._missing():
            raise Unavailable("the key could not be checked; try again")
        return found

    def _find(self, key: str) -> Audience | None:
        # Every key is compared, each in constant time: the duration discloses nothing.
        matches = [
            audience
            for audience, key_id in self._key_ids
            if key_id in self._digests and hmac.compare_digest(self._digests[key_id], digest_of(key_id, key))
        ]
        return matches[0] if matches else None

    def _missing(self) -> list[str]:
        since = self._clock() - GONE_SECONDS
        unknown = [key_id for _, key_id in self._key_ids if key_id not in self._digests]
        return [key_id for key_id in unknown if self._gone.get(key_id, float("-inf")) <= since]

    def _look_up(self) -> None:
        """Learn the missing digests, from those kept or else from the values, when it is this process's turn."""
        now = self._clock()
        if now < self._next_lookup:
            return
        for attempt in range(_ATTEMPTS):
            if attempt:  # another process has the turn, and keeps what it reads
                self._sleep(_PAUSE_SECONDS)
            self._digests.update(self._store.known(self._missing()))
            if self._missing() and self._store.take_turn(self._clock()):
                self._read_values()
            if not self._missing():
                return
        self._next_lookup = self._clock() + LOOKUP_SECONDS

    def _read_values(self) -> None:
        for key_id in self._missing():
            try:
                value = self._values.value(key_id)
            except Unavailable:
                return
            if value is None:
                self._gone[key_id] = self._clock()
            else:
                self._digests[key_id] = digest_of(key_id, value)
                self._store.keep(key_id, self._digests[key_id])


def digest_of(key_id: str, value: str) -> bytes:
    """Compute the digest of a key's value, which is long and random, so that its digest does not disclose it."""
    return hashlib.sha256(f"{key_id}\n{value}".encode()).digest()


def parse_key_ids(text: str) -> list[KeyId]:
    """Parse the key ids that a setting lists, of an audience perhaps several.

    >>> parse_key_ids("app=a1,app=a2")
    [(<Audience.APP: 'app'>, 'a1'), (<Audience.APP: 'app'>, 'a2')]
    """
    pairs = (entry.split("=", 1) for entry in text.split(","))
    return [(Audience(name), key_id) for name, key_id in pairs]
