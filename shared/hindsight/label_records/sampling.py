"""A nested sample of label records by a hash of their ids, at a share of 1, 1/2, 1/4 and so on.

Whether a record is kept depends on its prediction's id alone, or on its entity's, hashed apart from all other uses of
the id (the canary's split, the pick for review, the order within a moment): it is independent of the score, the
decision and the outcome. Every record so represents ``1 / share`` records, and with one weight for all of them means,
ratios and their intervals are those of a simple random sample; the sequential tests lose labels, not validity.
"""

import math
from hashlib import blake2b

import msgspec
import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

WHOLE = 1.0
MIN_SHARE = 2.0**-32
# Standard deviations by which a sample may miss a count: a complete hour seems short three times in 100,000.
_DEVIATIONS = 4.0


def is_sampled(hashes: Hashes, share: float) -> Mask:
    """Find the hashes that are kept at a share: those whose lowest bits are all zero, one bit a halving.

    Rows kept at a share are kept at any larger one. The lowest bits are independent of the highest, which the rows of
    reviewed predictions are thinned by.

    >>> is_sampled(np.arange(6, dtype=np.uint64), 0.25)
    array([ True, False, False, False,  True, False])
    """
    found: Mask = (hashes & np.uint64(_lowest_bits(share))) == 0
    return found


def prediction_hash(prediction_id: str) -> int:
    """Hash the id of a prediction."""
    return _hash(prediction_id, b"thinning")


def entity_hash(entity_id: object) -> int:
    """Hash the id of an entity; 0 stands for none.

    >>> entity_hash(None), entity_hash("a") == entity_hash("b")
    (0, False)
    """
    return 0 if entity_id is None else max(1, _hash(str(entity_id), b"entity"))


def scaled_up(sampled: int, share: float) -> int:
    """Estimate a number in the whole from the number in a sample.

    >>> scaled_up(10, 0.25), scaled_up(10, WHOLE)
    (40, 10)
    """
    return round(sampled / share)


def margin(count: int, share: float) -> float:
    """Compute by how much ``scaled_up`` may miss a count of predictions by chance; 0 without sampling.

    The predictions of an hour are kept or not each by itself, so that the kept ones are binomial.

    >>> margin(10_000, WHOLE), round(margin(10_000, 0.5))
    (0.0, 400)
    """
    return _DEVIATIONS * math.sqrt(count * (1 - share) / share)


class _Ids(msgspec.Struct):
    """The ids of a line, all of it that is decoded."""

    prediction_id: str
    entity_id: str | None = None


_decode_ids = msgspec.json.Decoder(_Ids).decode


def is_line_sampled(line: bytes, share: float, *, by_entity: bool) -> bool:
    """Find whether a line of JSON is of the sample, by its ids alone: a line that is not costs a tenth of a record.

    A line whose ids cannot be read is left to who reads it whole.
    """
    if share == WHOLE:
        return True
    try:
        ids = _decode_ids(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return True
    bits, of_prediction = _lowest_bits(share), prediction_hash(ids.prediction_id)
    if of_prediction & bits == 0:
        return True
    return by_entity and ids.entity_id is not None and entity_hash(ids.entity_id) & bits == 0


def _lowest_bits(share: float) -> int:
    return int(1 / share) - 1


def _hash(text: str, use: bytes) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8, person=use).digest(), "big")
