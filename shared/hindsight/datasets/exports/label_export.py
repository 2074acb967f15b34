"""The export of labels: each prediction of a range once, with its newest label and features, in one Parquet file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationStore, find_work
from hindsight.core.errors import Conflict, HindsightError, UnusableDataset
from hindsight.core.jobs import Job, JobKind, JobStore
from hindsight.core.times import parse_time
from hindsight.datasets.building.column_reader import ColumnReader
from hindsight.datasets.building.selection import select_all
from hindsight.datasets.building.snapshot import scratch_space
from hindsight.datasets.exports.export_requests import BYTES, DONE, DROPPED, FIRST, LAST, REVISION, TOTAL
from hindsight.datasets.formats.columns import Categories
from hindsight.datasets.parquet import PARQUET_TYPE, write_parquet
from hindsight.datasets.part import Array, PartWriter, column_name, pack
from hindsight.datasets.records.record_files import RecordFiles
from hindsight.datasets.records.record_scan import RecordScan, Span
from hindsight.lake.object_store import Lake, export_key

_ATTEMPTS = "attempts"
_MAX_ATTEMPTS = 2
_EARLIEST = datetime(1000, 1, 1, tzinfo=UTC)
_SHORTER = "ask for a shorter range, one after another"


class OutOfTime(HindsightError):
    """The work did not end within the time of one invocation."""

    code = "out_of_time"


@dataclass(slots=True)
class _Work:
    """An export in hand: each step is saved, and the first one finds another worker that has taken it over."""

    job: Job
    jobs: JobStore
    has_time: Callable[[], bool]

    def advance(self, **checkpoint: int) -> None:
        """Save how far the work is. Raises OutOfTime, Conflict."""
        self.require_time()
        self.job = self.job.advanced({**self.job.checkpoint, **checkpoint})
        if not self.jobs.save(self.job):
            raise Conflict(f"another worker has taken over {self.job.job_id}")

    def require_time(self) -> None:
        """Check that there is time left. Raises OutOfTime."""
        if not self.has_time():
            raise OutOfTime(f"the labels cannot be read within the time of one function: {_SHORTER}")


@dataclass(frozen=True, slots=True)
class LabelExporter:
    """The worker of exports; ``clock`` says when one ends."""

    lake: Lake
    jobs: JobStore
    configurations: ConfigurationStore
    clock: Callable[[], datetime]

    def run(self, model: str, job_id: str, has_time: Callable[[], bool]) -> Job | None:
        """Do an export; one that is over, or taken over by another worker, is left.

        None of one that was erased with its model. Raises NotFound.
        """
        job = self._find(model, job_id)
        if job is None or job.is_over:
            return job
        attempts = job.checkpoint.get(_ATTEMPTS, 0)
        if attempts == _MAX_ATTEMPTS:  # what this worker can notice, it notes as the failure at once
            cut_off = f"the work was cut off {attempts} times, mostly for want of memory, disk or time: {_SHORTER}"
            return self._ended(job.failed(self.clock(), cut_off))
        work = _Work(job, self.jobs, has_time)
        try:
            work.advance(**{_ATTEMPTS: attempts + 1})
            with scratch_space() as (connection, scratch):
                found = self._export(work, connection, scratch)
        except (OutOfTime, UnusableDataset) as error:
            return self._ended(work.job.failed(self.clock(), error.message))
        except Conflict:
            return self._find(model, job_id)
        return self._ended(work.job.completed(self.clock(), found))

    def _find(self, model: str, job_id: str) -> Job | None:
        kind = JobKind.EXPORT
        return find_work(self.jobs, self.configurations, model, job_id, kind, clock=self.clock, of_retired=True)

    def _ended(self, job: Job) -> Job:
        self.jobs.save(job)
        return job

    def _export(self, work: _Work, connection: duckdb.DuckDBPyConnection, scratch: Path) -> dict[str, object]:
        """Write and store the file; return what is in it."""
        job = work.job
        configuration = self.configurations.revision(job.model, job.request[REVISION]).configuration
        first = parse_time(job.request[FIRST]) if FIRST in job.request else _EARLIEST
        span = Span(first, parse_time(job.request[LAST]))
        files = RecordFiles(self.lake, job.model, connection, scratch, configuration.feature_types)
        scans = [RecordScan(connection, file) for file in files.between(span.first, span.last).files]
        kept = select_all(scans, configuration.task, span)
        rows = len(kept.keys.seq)
        work.advance(**{DONE: 0, TOTAL: rows})
        part = PartWriter(scratch / "labels.npz")
        for name, column in _columns(ColumnReader(scans, kept), configuration):
            work.require_time()
            for held, array in pack(name, column).items():
                part.add(held, array)
        part.close()
        target = scratch / "labels.parquet"
        write_parquet(connection, part.path, target, lambda done: work.advance(**{DONE: done}))
        self.lake.upload(target, export_key(job.model, job.job_id), PARQUET_TYPE)
        return {DONE: rows, TOTAL: rows, DROPPED: kept.dropped, BYTES: target.stat().st_size}


def _columns(reader: ColumnReader, configuration: ModelConfiguration) -> Iterator[tuple[str, Array | Categories]]:
    yield from (reader.columns() | reader.answers(configuration.task)).items()
    for (name, kind), column in reader.features(list(configuration.feature_types.items())):
        yield column_name(name, kind), column
