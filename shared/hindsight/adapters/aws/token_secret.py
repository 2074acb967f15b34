"""The keys of feedback tokens, in Secrets Manager: the current version of a secret, and the previous one.

Instances of several functions read the secret, each when it needs to, so that one may already sign with a key that
another has never seen. Two rules keep honest feedback from being refused: a new key signs only once Secrets Manager
shows it everywhere, and a key that is unknown here is looked up before its token is refused.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from hindsight.core.errors import Unavailable
from hindsight.ingestion.feedback_token import KeyNotLookedUp, TokenKey

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

STAGES = ("AWSCURRENT", "AWSPREVIOUS")

CACHE_SECONDS = 300.0
# A key younger than this does not sign yet: reads of Secrets Manager are eventually consistent.
SIGNING_DELAY_SECONDS = 60.0
# A name that was looked up and not found is a forger's for as long; shorter than the signing delay, so that a key
# which comes into use meanwhile is found by its first token.
UNKNOWN_SECONDS = 30.0
# Forged names may not each cost a read: so many lookups at once, and one more every few seconds.
MAX_LOOKUPS = 3.0
SECONDS_PER_LOOKUP = 10.0


@dataclass(frozen=True, slots=True)
class _Version:
    key: TokenKey
    created_at: float


class SecretsManagerKeys:
    """Keys that are read at most every few seconds in the life of a process.

    Ages are measured by the wall clock: a process that was frozen or restored must not take old keys for new.
    """

    def __init__(self, secret_id: str, client: "SecretsManagerClient", clock: Callable[[], float] = time.time) -> None:
        self._secret_id, self._client, self._clock = secret_id, client, clock
        self._versions: list[_Version] = []
        self._read_at = float("-inf")
        self._unknown: dict[str, float] = {}
        self._lookups, self._refilled_at = MAX_LOOKUPS, clock()

    def current(self) -> TokenKey:
        """Read the key that signs tokens. Raises Unavailable."""
        newest, *before = self._known()
        is_settled = self._clock() - newest.created_at >= SIGNING_DELAY_SECONDS
        return newest.key if is_settled or not before else before[0].key

    def named(self, name: str) -> TokenKey | None:
        """Read the key of a name, None if no such key is good. Raises Unavailable, KeyNotLookedUp."""
        found = _find(self._known(), name)
        if found is None and self._clock() - self._unknown.get(name, float("-inf")) > UNKNOWN_SECONDS:
            found = self._look_up(name)
        return found

    def _look_up(self, name: str) -> TokenKey | None:
        now = self._clock()
        # A clock that was set back takes no lookups away.
        refill = max(0.0, now - self._refilled_at) / SECONDS_PER_LOOKUP
        self._lookups = min(MAX_LOOKUPS, self._lookups + refill)
        self._refilled_at = now
        if self._lookups < 1:
            raise KeyNotLookedUp("the key of a feedback token could not be looked up; try again")
        self._lookups -= 1
        try:
            found = _find(self._read(), name)
        except Unavailable as error:
            raise KeyNotLookedUp(error.message) from error
        if found is None:
            recent = {other: at for other, at in self._unknown.items() if now - at <= UNKNOWN_SECONDS}
            self._unknown = recent | {name: now}
        return found

    def _known(self) -> list[_Version]:
        is_fresh = self._versions and self._clock() - self._read_at <= CACHE_SECONDS
        return self._versions if is_fresh else self._read()

    def _read(self) -> list[_Version]:
        self._versions = [version for stage in STAGES if (version := self._read_version(stage)) is not None]
        self._read_at = self._clock()
        return self._versions

    def _read_version(self, stage: str) -> _Version | None:
        try:
            found = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except ClientError as error:
            # Before the first exchange there is no version before.
            if stage != STAGES[0] and error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise Unavailable("the key of feedback tokens could not be read; try again") from error
        except BotoCoreError as error:
            raise Unavailable("the key of feedback tokens could not be read; try again") from error
        return _Version(TokenKey(found["SecretString"].encode()), found["CreatedDate"].timestamp())


def _find(versions: list[_Version], name: str) -> TokenKey | None:
    return next((version.key for version in versions if version.key.name == name), None)
