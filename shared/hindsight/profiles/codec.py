"""Profiles as bytes: MessagePack, with the sketches in their own portable form. No pickle."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from hindsight.core.errors import UnreadableObject
from hindsight.profiles.numbers import NumberSketch
from hindsight.profiles.profile import FORMAT, Profile


class _HasFormat(Protocol):
    @property
    def format(self) -> int: ...


Formatted = TypeVar("Formatted", bound=_HasFormat)
CONTENT_TYPE = "application/x-msgpack"


def _packed(sketch: NumberSketch) -> bytes:
    return sketch.to_bytes()


def _unpacked(_kind: type, content: bytes) -> NumberSketch:
    return NumberSketch.from_bytes(content)


_encode = msgspec.msgpack.Encoder(enc_hook=_packed).encode
_decode = msgspec.msgpack.Decoder(Profile, dec_hook=_unpacked).decode


def encode(profile: Profile) -> bytes:
    """Encode a profile as bytes.

    >>> decode(encode(Profile.empty())).rows
    0
    """
    return _encode(profile)


def decode(content: bytes) -> Profile:
    """Decode a profile from bytes.

    Raises UnreadableObject for bytes that are damaged, of another kind, or of a format that a later release writes.
    """
    return read_format(_decode, content, FORMAT, "profile")


def read_format(decoded: Callable[[bytes], Formatted], content: bytes, expected: int, name: str) -> Formatted:
    """Decode an object of one format, which messages call by a ``name``; raises as ``decode``."""
    try:
        found = decoded(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableObject(f"this is no {name}: {error}") from error
    if found.format != expected:
        raise UnreadableObject(f"the {name} has format {found.format}, this release reads {expected}")
    return found
