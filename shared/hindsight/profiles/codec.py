"""Profiles as bytes: MessagePack, with the sketches in their own portable form. No pickle."""

from collections.abc import Mapping
from typing import Self

import msgspec

from hindsight.config.features import FeatureType
from hindsight.core.errors import UnreadableObject
from hindsight.profiles.categories import CategorySketch
from hindsight.profiles.column import ColumnProfile
from hindsight.profiles.numbers import NumberSketch
from hindsight.profiles.profile import Profile
from hindsight.profiles.sample import RowSample, SampledRow

FORMAT = 1
CONTENT_TYPE = "application/x-msgpack"


class PackedCategories(msgspec.Struct, frozen=True, array_like=True):
    """Counts by text as they are stored."""

    kept: dict[str, int]
    rows: int
    error: int

    @classmethod
    def of(cls, sketch: CategorySketch) -> Self:
        """Pack counts."""
        return cls(dict(sketch.kept), sketch.rows, sketch.error)

    def unpack(self) -> CategorySketch:
        """Unpack the counts."""
        return CategorySketch(self.kept, self.rows, self.error)


class PackedColumn(msgspec.Struct, frozen=True, array_like=True):
    """A column as it is stored."""

    kind: FeatureType
    rows: int
    missing: int
    invalid: int
    below: int
    above: int
    numbers: bytes | None
    categories: PackedCategories | None

    @classmethod
    def of(cls, column: ColumnProfile) -> Self:
        """Pack a column."""
        return cls(
            column.kind,
            column.rows,
            column.missing,
            column.invalid,
            column.below,
            column.above,
            column.numbers.to_bytes() if column.numbers is not None else None,
            PackedCategories.of(column.categories) if column.categories is not None else None,
        )

    def unpack(self) -> ColumnProfile:
        """Unpack the column. Raises UnreadableObject."""
        if (self.numbers is None) is (self.kind is FeatureType.NUMERIC) or (self.numbers is None) is (
            self.categories is None
        ):
            raise UnreadableObject(f"a {self.kind.value} column lacks what describes it")
        return ColumnProfile(
            kind=self.kind,
            rows=self.rows,
            missing=self.missing,
            invalid=self.invalid,
            below=self.below,
            above=self.above,
            numbers=NumberSketch.from_bytes(self.numbers) if self.numbers is not None else None,
            categories=self.categories.unpack() if self.categories is not None else None,
        )


class PackedSample(msgspec.Struct, frozen=True, array_like=True):
    """A sample as it is stored; no threshold where it holds every row."""

    threshold: int | None
    capacity: int
    rows: tuple[SampledRow, ...]

    @classmethod
    def of(cls, sample: RowSample) -> Self:
        """Pack a sample."""
        threshold = None if sample.threshold == RowSample().threshold else sample.threshold
        return cls(threshold, sample.capacity, sample.sampled)

    def unpack(self) -> RowSample:
        """Unpack the sample."""
        threshold = RowSample().threshold if self.threshold is None else self.threshold
        return RowSample(self.rows, threshold, self.capacity)


class PackedProfile(msgspec.Struct, frozen=True, array_like=True):
    """A profile as it is stored."""

    format: int
    rows: int
    features: dict[str, PackedColumn]
    score: PackedColumn
    decision: PackedColumn | None
    score_by_decision: dict[str, bytes]
    due: dict[str, int]
    sample: PackedSample

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Pack a profile."""
        return cls(
            FORMAT,
            profile.rows,
            {name: PackedColumn.of(column) for name, column in profile.features.items()},
            PackedColumn.of(profile.score),
            PackedColumn.of(profile.decision) if profile.decision is not None else None,
            {name: sketch.to_bytes() for name, sketch in profile.score_by_decision.items()},
            dict(profile.due),
            PackedSample.of(profile.sample),
        )

    def unpack(self) -> Profile:
        """Unpack the profile. Raises UnreadableObject."""
        scores: Mapping[str, NumberSketch] = {
            name: NumberSketch.from_bytes(content) for name, content in self.score_by_decision.items()
        }
        return Profile(
            rows=self.rows,
            features={name: column.unpack() for name, column in self.features.items()},
            score=self.score.unpack(),
            decision=self.decision.unpack() if self.decision is not None else None,
            score_by_decision=scores,
            due=self.due,
            sample=self.sample.unpack(),
        )


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(PackedProfile).decode


def encode(profile: Profile) -> bytes:
    """Encode a profile as bytes.

    >>> decode(encode(Profile.empty())).rows
    0
    """
    return _encode(PackedProfile.of(profile))


def decode(content: bytes) -> Profile:
    """Decode a profile from bytes.

    Raises UnreadableObject for bytes that are damaged, of another kind, or of a format that a later release writes.
    """
    try:
        packed = _decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableObject(f"this is no profile: {error}") from error
    if packed.format != FORMAT:
        raise UnreadableObject(f"the profile has format {packed.format}, this release reads {FORMAT}")
    return packed.unpack()
