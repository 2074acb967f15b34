"""API Gateway's keys by audience; only their digests stay in memory."""

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.http.audiences import Audience

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient

KeyId = tuple[Audience, str]

KNOWN_FOR_SECONDS = 300.0
STRANGERS_WAIT_SECONDS = 10.0


class ApiKeyring:
    """The keys of the deployment, read again from API Gateway now and then, so that they can be replaced."""

    def __init__(
        self,
        key_ids: Sequence[KeyId],
        client: "APIGatewayClient",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key_ids = key_ids
        self._client = client
        self._clock = clock
        self._digests: list[tuple[Audience, bytes]] = []
        self._read_at = float("-inf")

    def audience_of(self, key: str) -> Audience | None:
        """Return whose key this is, or None."""
        if self._clock() - self._read_at > KNOWN_FOR_SECONDS:
            self._read()
        found = self._find(key)
        # A stranger's key may be one made a moment ago; but guesses must not each cost a call a key.
        if found is None and self._clock() - self._read_at > STRANGERS_WAIT_SECONDS:
            self._read()
            found = self._find(key)
        return found

    def _find(self, key: str) -> Audience | None:
        presented = _digest(key)
        # Every key is compared, each in constant time: how long it takes tells nothing.
        matches = [audience for audience, digest in self._digests if hmac.compare_digest(digest, presented)]
        return matches[0] if matches else None

    def _read(self) -> None:
        try:
            keys = [
                (audience, self._client.get_api_key(apiKey=id_, includeValue=True)) for audience, id_ in self._key_ids
            ]
        except ClientError:
            # Throttled, say: the keys known so far go on; API Gateway itself refuses one that is gone.
            if not self._digests:
                raise
            return
        self._digests = [(audience, _digest(key["value"])) for audience, key in keys if key["enabled"]]
        self._read_at = self._clock()


def parse_key_ids(text: str) -> list[KeyId]:
    """Return the key ids that a setting lists, of an audience perhaps several.

    >>> parse_key_ids("app=a1,app=a2")
    [(<Audience.APP: 'app'>, 'a1'), (<Audience.APP: 'app'>, 'a2')]
    """
    pairs = (entry.split("=", 1) for entry in text.split(","))
    return [(Audience(name), key_id) for name, key_id in pairs]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
