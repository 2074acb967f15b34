"""Label rows in columns, of rows as dictionaries."""

from collections.abc import Iterable
from typing import Any

from hindsight.label_records.collector import RecordCollector
from hindsight.label_records.rows import LabelRows


def newest_records(rows: Iterable[dict[str, Any]]) -> LabelRows:
    """Find of each prediction's label records the one with the highest ``seq``; see ``RecordCollector.newest``."""
    given = list(rows)
    names = dict.fromkeys(name for row in given for name in row if name not in {"features"})
    features = dict.fromkeys(name for row in given for name in row.get("features") or {})
    collector = RecordCollector(list(dict.fromkeys([*names, "value", "known_at", "kind"])), list(features))
    return collector.newest(list(collector.take({"features": {}, **row} for row in given)))
