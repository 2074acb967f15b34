"""A column of hashes of texts that are only compared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hindsight.label_records.columns import ABSENT, Mask, Values, Vocabulary
from hindsight.label_records.sampling import Hashes, entity_hash


@dataclass(frozen=True, slots=True)
class HashColumn:
    """Hashes of texts that are only told apart, eight bytes each; 0 where there is no text."""

    hashes: Hashes

    @classmethod
    def of(cls, texts: Iterable[Any]) -> "HashColumn":
        """Hash texts; None and ABSENT are none."""
        given = (None if text is ABSENT else text for text in texts)
        return cls(np.array([entity_hash(text) for text in given], dtype=np.uint64))

    @classmethod
    def joined(cls, columns: Sequence["HashColumn"]) -> "HashColumn":
        """Join columns."""
        return cls(np.concatenate([column.hashes for column in columns]))

    def __len__(self) -> int:
        return len(self.hashes)

    def at(self, places: Values) -> "HashColumn":
        """Pick some of the hashes, by their indices or a mask."""
        return HashColumn(self.hashes[places])

    def moved(self, _vocabulary: Vocabulary) -> "HashColumn":
        """Keep the hashes: they need no words."""
        return self

    def value(self, place: int) -> Any:
        """Give one hash back, ABSENT where there is no text."""
        return int(self.hashes[place]) or ABSENT

    @property
    def is_given(self) -> Mask:
        """Mask of the texts that are given."""
        found: Mask = self.hashes != 0
        return found
