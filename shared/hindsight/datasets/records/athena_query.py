"""A run's label records chosen by Athena: the query, and the file of records made of its answer.

Athena does the scanning, over the Parquet files that settled days were compacted into. What is not compacted yet is
read as always, and both together make the dataset that one Lambda alone would have made of all of it.
"""

import json
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import duckdb

from hindsight.config.labels import LabelKind
from hindsight.core import compact_json
from hindsight.core.errors import UnusableDataset
from hindsight.core.times import microseconds
from hindsight.datasets.formats.record_table import (
    ADDED_FIELDS,
    JSON_FIELDS,
    LONG,
    MOMENTS,
    PARQUET,
    PLAIN_FIELDS,
    TEXT,
    escaped,
)
from hindsight.datasets.formats.record_table import quoted as quoted_name
from hindsight.datasets.records.record_scan import Span
from hindsight.lake.object_store import COMPACTED, Lake, keys_between, query_prefix

TABLE = "label_records"
# All columns of the Parquet files but those of single features, which differ from model to model.
COLUMNS = {**PLAIN_FIELDS, **dict.fromkeys(JSON_FIELDS, TEXT), **dict.fromkeys(MOMENTS.values(), LONG), **ADDED_FIELDS}
_COVERED = "covered.json"
_MAX_LINE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenRecords:
    """Records that Athena chose: the key of its answer, and the keys of the files it chose from."""

    key: str
    covered: frozenset[str]


def selection_query(database: str, model: str, span: Span) -> str:
    """Build the SQL that selects a dataset's records; Trino and DuckDB both take it.

    Of each prediction those with the highest ``seq``, and its newest with a value from another kind than a reviewer:
    they show whether a reviewer's label stands for others. The names of models have no quotes.
    """
    first, last = microseconds(span.first), microseconds(span.last)
    days = [moment.astimezone(UTC).date().isoformat() for moment in (span.first, span.last)]
    columns = ", ".join(map(quoted_name, COLUMNS))
    is_other = f"value IS NOT NULL AND kind IS DISTINCT FROM '{LabelKind.MANUAL.value}'"
    return f"""
        SELECT {columns} FROM (
            SELECT {columns}, is_other,
                rank() OVER (PARTITION BY prediction_id ORDER BY seq DESC) AS newest,
                rank() OVER (PARTITION BY prediction_id, is_other ORDER BY seq DESC) AS newest_of_kind
            FROM (
                SELECT {columns}, {is_other} AS is_other FROM {quoted_name(database)}.{quoted_name(TABLE)}
                WHERE model = '{escaped(model)}' AND "date" BETWEEN '{days[0]}' AND '{days[1]}'
                    AND occurred_us >= {first} AND occurred_us < {last} AND due_us <= {last} AND known_us <= {last}
            ) AS seen
        ) AS ranked
        WHERE newest = 1 OR (is_other AND newest_of_kind = 1)
    """


def plan_query(lake: Lake, model: str, decision_id: str, span: Span, database: str) -> str:
    """Plan the query of a run's dataset, and note which files its result will cover.

    They are noted before the query begins: a file that compaction adds later is read beside the answer. Read twice does
    no harm; missed would.
    """
    covered = list(keys_between(lake, COMPACTED, model, span.first, span.last))
    noted = compact_json.dumps(covered).encode()
    lake.write_bytes(query_prefix(model, decision_id) + _COVERED, noted, "application/json")
    return selection_query(database, model, span)


def chosen_by(lake: Lake, model: str, decision_id: str, query_execution_id: str) -> ChosenRecords:
    """Read the records a query selected for a run. Raises NotFound, UnusableDataset without a result."""
    prefix = query_prefix(model, decision_id)
    covered = frozenset(json.loads(lake.read_bytes(prefix + _COVERED)))
    answers = [key for key in lake.keys(prefix) if key.endswith(f"{query_execution_id}.csv")]
    if len(answers) != 1:
        raise UnusableDataset(f"the query {query_execution_id} left {len(answers)} answers, not one")
    return ChosenRecords(key=answers[0], covered=covered)


def write_chosen(connection: duckdb.DuckDBPyConnection, answer: Path, target: Path) -> None:
    """Write an answer of Athena, CSV, as a Parquet file of records."""
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    options = (
        f"header = true, auto_detect = false, columns = {{{columns}}}, delim = ',', quote = '\"', escape = '\"'",
        "nullstr = '', allow_quoted_nulls = false",  # empty and not quoted is null
        f"max_line_size = {_MAX_LINE_BYTES}, buffer_size = {2 * _MAX_LINE_BYTES}",
    )
    read = f"read_csv('{escaped(str(answer))}', {', '.join(options)})"
    connection.execute(f"COPY (FROM {read}) TO '{escaped(str(target))}' ({PARQUET})")
