"""The keys of feedback tokens, in Secrets Manager: the current version of a secret, and the one before it."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from shared.capture.feedback_token import TokenKey
from shared.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

STAGES = ("AWSCURRENT", "AWSPREVIOUS")
_GOOD_FOR_SECONDS = 300.0
# A token that names a key we do not know may be the first of a new key, or forged: we look again, but not for each.
_LOOK_AGAIN_SECONDS = 30.0


class SecretsManagerKeys:
    """Keys that are read at most every few seconds in the life of a process."""

    def __init__(
        self, secret_id: str, client: "SecretsManagerClient", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._secret_id, self._client, self._clock = secret_id, client, clock
        self._keys: list[TokenKey] = []
        self._read_at = float("-inf")

    def current(self) -> TokenKey:
        """Return the key that makes tokens. Raises Unavailable."""
        return self._known(_GOOD_FOR_SECONDS)[0]

    def named(self, name: str) -> TokenKey | None:
        """Return the key of a name, None if no such key is good. Raises Unavailable."""
        for age in (_GOOD_FOR_SECONDS, _LOOK_AGAIN_SECONDS):
            for key in self._known(age):
                if key.name == name:
                    return key
        return None

    def _known(self, age: float) -> list[TokenKey]:
        if not self._keys or self._clock() - self._read_at > age:
            self._keys = [key for stage in STAGES if (key := self._read(stage)) is not None]
            self._read_at = self._clock()
        return self._keys

    def _read(self, stage: str) -> TokenKey | None:
        try:
            found = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except ClientError as error:
            # Before the first exchange there is no version before.
            if stage != STAGES[0] and error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise Unavailable("the key of feedback tokens could not be read; try again") from error
        except BotoCoreError as error:
            raise Unavailable("the key of feedback tokens could not be read; try again") from error
        return TokenKey(found["SecretString"].encode())
