"""Past predictions and feedback from files: the items of the API, a line each, taken as the API takes them.

A file may outlast a function: after every few hundred lines its job says how far it is, and the next run goes on
there. A chunk that is taken again changes nothing, since every id, also one made up for a prediction without, is the
same each time; and only one run can move the job on, so that nothing is counted twice.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationStore, is_erased
from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput, NotFound
from hindsight.core.jobs import Job, JobKind, JobStore, name_job
from hindsight.ingestion.feedback_capture import EVENTS, FeedbackCapture, FeedbackReader
from hindsight.ingestion.import_files import (
    MAX_LINE_BYTES,
    MISPLACED,
    Chunk,
    ImportedFile,
    Line,
    Upload,
    chunks_after,
    imported_file,
    whole_file,
)
from hindsight.ingestion.instance import InstanceReader
from hindsight.ingestion.prediction_log import PREDICTIONS, PredictionLog
from hindsight.lake.object_store import Lake
from hindsight.quarantine.rejects import RejectCode, RowKind
from hindsight.quarantine.store import Quarantine, QuarantinedRow
from hindsight.registry.served_features import ServedByModel
from hindsight.validation.features import NOTHING_SERVED
from hindsight.validation.items import Receipt, path_within
from hindsight.validation.line_items import identified, no_id
from hindsight.validation.timestamps import ClientTimestamps


@dataclass(slots=True)
class ImportRun:
    """The result of one run: the lines taken and refused of a model's file.

    ``job`` is how far it came, None if another worker has taken the file over.
    """

    model: str
    kind: RowKind
    job: Job | None = None
    accepted: int = 0
    rejected: Counter[RejectCode] = field(default_factory=Counter)

    @property
    def is_to_go_on(self) -> bool:
        """True if the rest of the file waits for another run."""
        return self.job is not None and not self.job.is_over


# A file with so many lines at fault is at fault itself: to keep each of them would bury those of others.
MAX_REJECTED = 100_000
_TOO_MANY = f"more than {MAX_REJECTED} lines were rejected; mend the file, or the configuration, and upload it again"


@dataclass(frozen=True, slots=True)
class FileImports:
    """The importer of files of the lake, whose past times are accepted. ``clock`` gives the moment when one ends."""

    lake: Lake
    jobs: JobStore
    quarantine: Quarantine
    configurations: ConfigurationStore
    log: PredictionLog
    capture: FeedbackCapture
    clock: Callable[[], datetime]
    served: ServedByModel = lambda _model: NOTHING_SERVED

    def run(self, upload: Upload, has_time: Callable[[], bool]) -> ImportRun:
        """Import a file while there is time. Raises Unavailable; running it again goes on where it stopped."""
        file = imported_file(upload)
        if file is None:
            row = whole_file(upload, RejectCode.MALFORMED, MISPLACED)
            self.quarantine.put([row])
            return ImportRun(row.model, row.kind, rejected=Counter([row.code]))
        if is_erased(self.configurations, file.model):
            return ImportRun(file.model, file.kind)
        run = ImportRun(file.model, file.kind, self.jobs.start(_new_job(file)))
        if run.is_to_go_on:
            self._go_on(run, file, has_time)
        return run

    def _go_on(self, run: ImportRun, file: ImportedFile, has_time: Callable[[], bool]) -> None:
        assert run.job is not None
        try:
            configuration = self.configurations.current(file.model).configuration
        except NotFound as error:
            self._end(run, file, RejectCode.UNKNOWN_MODEL, error.message)
            return
        for chunk in chunks_after(self.lake, file.upload.key, run.job.checkpoint["line"]):
            self._import(run, file, chunk, configuration)
            if chunk.fault is not None:
                self._end(run, file, RejectCode.MALFORMED, chunk.fault)
            elif run.job is not None and run.job.counts.get("rejected", 0) > MAX_REJECTED:
                self._end(run, file, RejectCode.MALFORMED, _TOO_MANY)
            elif chunk.is_last and run.job is not None:
                run.job = self._saved(run.job.completed(self.clock()))
            if not run.is_to_go_on or not has_time():
                return

    def _import(self, run: ImportRun, file: ImportedFile, chunk: Chunk, configuration: ModelConfiguration) -> None:
        assert run.job is not None
        rows = self._take(chunk, file, configuration)
        self.quarantine.put(rows)
        counts = {"accepted": len(chunk.lines) - len(rows), "rejected": len(rows)}
        run.job = self._saved(run.job.advanced({"line": chunk.last_line}, counts))
        if run.job is not None:
            run.accepted += counts["accepted"]
            run.rejected.update(row.code for row in rows)

    def _end(self, run: ImportRun, file: ImportedFile, code: RejectCode, reason: str) -> None:
        """End an import whose file cannot be read, or not further."""
        if run.job is None:
            return
        self.quarantine.put([whole_file(file.upload, code, reason, file.kind)])
        run.job = self._saved(run.job.failed(self.clock(), reason, {"rejected": 1}))
        if run.job is not None:
            run.rejected[code] += 1

    def _take(self, chunk: Chunk, file: ImportedFile, configuration: ModelConfiguration) -> list[QuarantinedRow]:
        """Take what can be read of a chunk; return the rows of the other lines."""
        items: list[tuple[Line, Any]] = []
        rejected = []
        for line in chunk.lines:
            try:
                items.append((line, _item(line, file)))
            except InvalidInput as error:
                rejected.append(file.row(line, RejectCode.MALFORMED, error.message))
        name, receipt = self._taken([item for _, item in items], file, configuration)
        for rejection in receipt.rejected:
            path = path_within(rejection.fault.path, f"{name}[{rejection.index}]")
            line, _ = items[rejection.index]
            rejected.append(file.row(line, RejectCode(rejection.code), rejection.fault.message, path))
        return sorted(rejected, key=lambda row: row.line or 0)

    def _taken(
        self, items: Sequence[Any], file: ImportedFile, configuration: ModelConfiguration
    ) -> tuple[str, Receipt]:
        now = file.upload.at
        if file.kind is RowKind.FEEDBACK:
            return EVENTS, self.capture.take(FeedbackReader(configuration, now, ClientTimestamps.PAST), items)
        served = self.served(configuration.model)
        reader = InstanceReader(configuration, now, ClientTimestamps.PAST, no_id, served=served)
        return PREDICTIONS, self.log.take(reader, items)

    def _saved(self, job: Job) -> Job | None:
        return job if self.jobs.save(job) else None


def _new_job(file: ImportedFile) -> Job:
    upload = file.upload
    return Job(
        kind=JobKind.IMPORT,
        model=file.model,
        job_id=name_job(JobKind.IMPORT, upload.at, upload.key, upload.version),
        at=upload.at,
        started_at=upload.at,
        request={"file": upload.key, "kind": file.kind.value},
        checkpoint={"line": 0},
    )


def _item(line: Line, file: ImportedFile) -> Any:
    if line.is_cut:
        raise InvalidInput(f"the line is longer than {MAX_LINE_BYTES} bytes")
    item = compact_json.loads(line.content)
    return item if file.kind is RowKind.FEEDBACK else identified(item, file.upload.key, line.number, line.text)
