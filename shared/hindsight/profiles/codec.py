"""Profiles as bytes: MessagePack, with the sketches in their own portable form. No pickle."""

import msgspec

from hindsight.core.errors import UnreadableObject
from hindsight.profiles.numbers import NumberSketch
from hindsight.profiles.profile import FORMAT, Profile

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
    try:
        profile = _decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableObject(f"this is no profile: {error}") from error
    if profile.format != FORMAT:
        raise UnreadableObject(f"the profile has format {profile.format}, this release reads {FORMAT}")
    return profile
