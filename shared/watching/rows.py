"""Which matured label records a version in service is judged by."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from shared.configuration.labels import LabelSource
from shared.configuration.model import ModelConfiguration
from shared.monitoring.join_health import LABELLED_OTHERWISE
from shared.monitoring.performance.fall import maturity, new_rows
from shared.monitoring.performance.weights import heaviest_weight, labels_every_prediction, review_weight
from shared.times import format_time

Row = Mapping[str, Any]

_HASHES = 2**64


def matured_since(labels: Iterable[Row], since: datetime, until: datetime) -> list[Row]:
    """Return the newest label records that have come to count by ``until``, of predictions made from ``since`` on.

    In the order in which they came to count. What the version answered before, in an earlier time of service, is not
    what it is judged by now.
    """
    first = format_time(since)
    candidates = (row for row in labels if row["value"] is not None and row["occurred_at"] >= first)
    return sorted(new_rows(candidates, since, until), key=maturity)


def evenly_reviewed(rows: Iterable[Row], configuration: ModelConfiguration) -> list[Row]:
    """Return the rows of which two versions may be compared without weights.

    Of predictions that have a label only because they were picked for review, each stands for ``1/π`` others, and π
    depends on the score and so on the version. A row is kept with the probability ``1/π`` over the largest there is
    (rejection sampling, von Neumann, 1951): what remains was picked evenly, as the audit picks. Rows that would have a
    label anyway are all kept. Which ones, a hash of the id tells, so that it is the same at every look.
    """
    anyway, heaviest = labels_every_prediction(configuration.labels), heaviest_weight(configuration)
    return [row for row in rows if anyway or not _only_reviewed(row) or _chance(row) * heaviest <= _weight(row)]


def first_of_entities(rows: Iterable[Row]) -> list[Row]:
    """Return of each entity the row that came to count first; rows without an entity are each their own.

    A canary gives entities, not predictions, to one version or the other: what one entity adds a second time tells of
    the entity, and a version that drew the harder ones would look worse the longer it is tried.
    """
    seen: set[str] = set()
    kept = []
    for row in rows:
        entity = row.get("entity_id")
        if entity is None:
            kept.append(row)
        elif entity not in seen:
            seen.add(entity)
            kept.append(row)
    return kept


def _only_reviewed(row: Row) -> bool:
    return row.get("source") == LabelSource.MANUAL and not row.get(LABELLED_OTHERWISE)


def _weight(row: Row) -> float:
    return review_weight(row, labelled_anyway=False)


def _chance(row: Row) -> float:
    digest = blake2b(row["prediction_id"].encode(), digest_size=8, person=b"thinning").digest()
    return int.from_bytes(digest, "big") / _HASHES
