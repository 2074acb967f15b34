"""Feedback tokens: who holds one may speak for one prediction, and for no other, until it expires.

A token is ``v1.{key}.{expiry}.{mac}``: which key made it, until when it is good (seconds since 1970, not secret), and
HMAC-SHA-256 (RFC 2104, FIPS 198-1) over version, expiry, model and prediction, each preceded by its length, so that no
two of them can be read in two ways. It keeps unauthenticated callers out; it does not make its holder honest, nor
keep him from speaking twice.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import InvalidInput, Unavailable

MAX_TOKEN = 128
_VERSION = "v1"
_NAME_LENGTH = 8


class TokenRefused(InvalidInput):
    """An event without a valid token of its prediction."""


class TokenMissing(TokenRefused):
    """An event came without a token, where one is required."""

    code = "token_missing"


class TokenInvalid(TokenRefused):
    """A token was not made by us, or not for this prediction."""

    code = "token_invalid"


class TokenExpired(TokenRefused):
    """A token was good once."""

    code = "token_expired"


class TokenUnverified(TokenRefused):
    """A token could not be checked now: the same event is to be sent again."""

    code = "token_unverified"


class KeyNotLookedUp(Unavailable):
    """A key is unknown here and may not be looked up yet, so that its tokens cannot be verified."""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A secret that makes tokens; it is named by a digest of itself, which reveals nothing of it."""

    secret: bytes

    @property
    def name(self) -> str:
        """The name of the key in its tokens."""
        return hashlib.sha256(b"name of " + self.secret).hexdigest()[:_NAME_LENGTH]

    def __repr__(self) -> str:
        return f"TokenKey({self.name})"


class TokenKeys(Protocol):
    """The keys there are: while keys are exchanged, two are good."""

    def current(self) -> TokenKey:
        """Read the key that makes tokens. Raises Unavailable."""

    def named(self, name: str) -> TokenKey | None:
        """Read the key of a name, None if no such key is good. Raises Unavailable, KeyNotLookedUp."""


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """The content of a token: the event it came with, and its subject."""

    model: str
    prediction_id: str
    path: str


def token_mint(keys: TokenKeys, configuration: ModelConfiguration, now: datetime) -> Callable[[str], str] | None:
    """Build the minter of a call's tokens by prediction; None where none are asked for and no key is read.

    Raises Unavailable.
    """
    rules = configuration.feedback.token
    if not rules.required:
        return None
    return partial(mint, keys.current(), configuration.model, expires_at=now + rules.expires)


def mint(key: TokenKey, model: str, prediction_id: str, expires_at: datetime) -> str:
    """Compute the token of a prediction.

    >>> key = TokenKey(b"x" * 32)
    >>> mint(key, "bikes", "p-1", datetime(2026, 3, 1, tzinfo=UTC)).rpartition(".")[0]
    'v1.b38debf1.1772323200'
    """
    expiry = str(int(expires_at.timestamp()))
    return ".".join((_VERSION, key.name, expiry, _mac(key, (_VERSION, expiry, model, prediction_id))))


def require_token(keys: TokenKeys, token: str | None, holder: TokenHolder, now: datetime) -> None:
    """Verify a prediction's token at a moment.

    Raises TokenMissing, TokenInvalid, TokenExpired; TokenUnverified if another attempt may succeed.
    """
    place = f"{holder.path}.token" if holder.path else "token"
    if token is None:
        raise TokenMissing.at(place, "is required: it came with the prediction")
    parts = token.split(".")
    if len(parts) != 4 or parts[0] != _VERSION or not _is_name(parts[1]) or not _is_plain_number(parts[2]):
        raise TokenInvalid.at(place, "is not the token of this prediction")
    _, name, expiry, mac = parts
    try:
        key = keys.named(name)
    except KeyNotLookedUp as error:
        raise TokenUnverified.at(place, "cannot be checked now: send the event again") from error
    expected = _mac(key, (_VERSION, expiry, holder.model, holder.prediction_id)) if key is not None else ""
    # In constant time, so that no guess reveals where it differs.
    if key is None or not hmac.compare_digest(mac.encode(), expected.encode()):
        raise TokenInvalid.at(place, "is not the token of this prediction")
    if now >= datetime.fromtimestamp(int(expiry), UTC):
        raise TokenExpired.at(place, "has expired")


def _mac(key: TokenKey, parts: Sequence[str]) -> str:
    message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return base64.urlsafe_b64encode(hmac.digest(key.secret, message, "sha256")).rstrip(b"=").decode()


def _is_name(text: str) -> bool:
    return len(text) == _NAME_LENGTH and set(text) <= set("0123456789abcdef")


def _is_plain_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 11 and str(int(text)) == text
