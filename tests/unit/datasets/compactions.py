"""Lakes for the tests of compaction."""

from datetime import datetime, timedelta
from typing import Any

from hindsight.datasets.building.compaction import Compaction, CompactionReport
from hindsight.entities.label_row import LabelRow
from hindsight.lake.pack import is_pack
from hindsight.lake.packer import Packer
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from tests.unit.training.world import MODEL, START, revision, store

AS_OF = START + timedelta(days=30)


LONG_AFTER = AS_OF + timedelta(days=10)


FULL_WINDOW = timedelta(days=60)


def compaction(lake: InMemoryLake, **sections: Any) -> Compaction:
    return Compaction(lake, InMemoryConfigurations(revision(**sections).configuration))


def compact(lake: InMemoryLake, now: datetime = LONG_AFTER, **sections: Any) -> CompactionReport:
    return compaction(lake, **sections).sweep(MODEL, now, lambda: True)


def lake_of(examples: list[LabelRow], pieces: int = 3) -> InMemoryLake:
    """Build a lake that holds label rows as the stream writes them: several objects a day."""
    lake = InMemoryLake()
    for piece in range(pieces):
        store(lake, examples[piece::pieces])
    return lake


def small(lake: InMemoryLake) -> list[str]:
    return [key for key in lake.keys("labels/") if "/merged-" not in key]


def files(lake: InMemoryLake) -> list[str]:
    return list(lake.keys("compacted/"))


def packed(lake: InMemoryLake, day: int = 2) -> list[str]:
    """Pack what a recent sweep would; return the packs."""
    Packer(lake).sweep(MODEL, START + timedelta(days=day), lambda: True)
    return [key for key in lake.keys("labels/") if is_pack(key)]
