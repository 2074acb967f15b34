"""The largest feedback file is joined within its function's timeout, however slow the table is."""

import time
from typing import Any

from bench.processor import processor_seconds, steady_seconds
from bench.sleeping_table import FILE, SleepingTable, sleeping_files
from functions.join_labels.app import RESERVED_MILLISECONDS
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.joining.feedback_files import CHUNK_LINES, FilePart
from tests.unit.labels.builders import DEMAND, event, prediction, revision

SLOW_SECONDS = 0.06
# What one virtual processor of Lambda is, in megabytes of memory.
FULL_PROCESSOR = 1769


def test_largest_feedback_file_is_joined_within_the_timeout(template: dict[str, Any]) -> None:
    function = template["Resources"]["JoinLabelsFunction"]["Properties"]
    mapping = function["Events"]["FeedbackFiles"]["Properties"]
    names = [f"p{number}" for number in range(CHUNK_LINES)]
    events = [event("demand", 150, prediction_id=name, feedback_id=name) for name in names]
    predictions = [prediction(name) for name in names]

    def measure() -> float:
        table = SleepingTable(predictions, SLOW_SECONDS)
        files = sleeping_files(table, events, revision(DEMAND))
        waits: list[float] = []

        def join() -> None:
            began, worked = time.perf_counter(), time.process_time()
            assert files.join_part(FilePart(FILE), lambda: True).rest is None
            waits.append(time.perf_counter() - began - (time.process_time() - worked))

        processor = processor_seconds(join)
        assert table.items_written == 3 * CHUNK_LINES
        return sum(waits) + processor * FULL_PROCESSOR / function["MemorySize"]

    largest = template["Parameters"]["FeedbackBufferMegabytes"]["MaxValue"] * 2**20
    chunks = largest / sum(len(feedback_line(sent)) for sent in events)
    chunk_seconds = (function["Timeout"] - RESERVED_MILLISECONDS / 1000) / (mapping["BatchSize"] * chunks)
    # Firehose may exceed its hint when it catches up; then the rest is joined by another run.
    assert steady_seconds(measure, chunk_seconds) <= chunk_seconds
