"""A sketch of a categorical column: the counts of its frequent values."""

from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import nlargest
from typing import Self

from msgspec import Struct, field

MAX_TEXT_LENGTH = 256
MAX_CATEGORIES = 768


class CategorySketch(Struct, frozen=True, array_like=True):
    """Counts by text: exact for up to 768 texts, of the frequent ones beyond; mergeable.

    The mergeable form of Misra & Gries's summary (Agarwal et al. 2012, "Mergeable summaries"): where there are too
    many texts, all lose the count of the first that has no room. So a count is never too high, and too low by at most
    ``error``, which is less than 1 in 768 of the rows. What no text's count holds is in ``other``. Texts are cut at
    256 characters.

    >>> sketch = CategorySketch.of({"web": 3, "app": 1})
    >>> sketch.counts(), sketch.other
    ({'web': 3.0, 'app': 1.0}, 0.0)
    """

    kept: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0
    error: int = 0

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """Build the sketch of counted texts."""
        storable = Counter[str]()
        for text, count in counts.items():
            storable[storable_text(text)] += count
        return cls._reduced(storable, storable.total(), 0)

    @classmethod
    def merged(cls, sketches: Iterable["CategorySketch"]) -> Self:
        """Merge sketches into one of all their texts."""
        counts, rows, error = Counter[str](), 0, 0
        for sketch in sketches:
            counts.update(sketch.kept)
            rows += sketch.rows
            error += sketch.error
        return cls._reduced(counts, rows, error)

    @property
    def other(self) -> float:
        """The number of rows that no count holds."""
        return float(self.rows - sum(self.kept.values()))

    def counts(self) -> dict[str, float]:
        """List the counts by text, the most frequent first, equal ones by text."""
        return {text: float(count) for text, count in sorted(self.kept.items(), key=lambda pair: (-pair[1], pair[0]))}

    @classmethod
    def _reduced(cls, counts: Mapping[str, int], rows: int, error: int) -> Self:
        if len(counts) <= MAX_CATEGORIES:
            return cls({text: count for text, count in counts.items() if count > 0}, rows, error)
        lost = nlargest(MAX_CATEGORIES + 1, counts.values())[-1]
        return cls({text: count - lost for text, count in counts.items() if count > lost}, rows, error + lost)


def storable_text(text: str) -> str:
    """Cut a text to 256 characters of well-formed Unicode, its stored form."""
    cut = text[:MAX_TEXT_LENGTH]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()
