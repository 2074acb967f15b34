"""The work of erasures, step by step: stopped anywhere, it goes on there, and what was done already changes nothing.

First it is found out which predictions are the entity's, from the table and the log. Each collection is then
replaced by a mark that keeps it from coming back, and every place of the lake is redacted, the datasets last: they are
rebuilt from the redacted records. What was on its way meanwhile (a stream, a buffer, a compaction that had read
already) is caught by a second pass a while later, which looks at what was written since.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.jobs import Job, JobKind, JobStore, find_job
from hindsight.datasets.building.snapshot import scratch_space
from hindsight.datasets.dataset import Erasure, Source
from hindsight.datasets.members import MemberStore
from hindsight.labels.resolve import shifted
from hindsight.lake.object_store import COMPACTED, EXPORTS, Lake, model_prefix
from hindsight.lake.pack import emptied_members
from hindsight.privacy.collections import SubjectCollections
from hindsight.privacy.data_map import LABEL_RECORDS, LOG, OTHERS, DataLocation
from hindsight.privacy.datasets import DatasetRedactor
from hindsight.privacy.notes import ErasureNotes
from hindsight.privacy.passes import ErasurePass, Progress
from hindsight.privacy.records import RecordRedactor
from hindsight.privacy.redaction import RedactionResult, unzipped
from hindsight.privacy.requests import (
    DATASETS,
    ENTITY,
    STEPS,
    STEPS_TOTAL,
    SUBJECT,
    UNREADABLE,
    affected_versions,
    forgotten,
)
from hindsight.privacy.subject import Subject
from hindsight.privacy.versions import ObjectVersions
from hindsight.registry.store import Registry

ERASED = "SubjectErased"
_PASSES = 2
_MAX_DATASETS = 10_000
_COMPACTED = DataLocation(
    name=COMPACTED, prefixes=lambda model: (model_prefix(COMPACTED, model),), redact=lambda *_: None
)


@dataclass(slots=True)
class ErasureRun:
    """The result of one run: the erasure as far as it came, None if another worker has taken it over.

    ``is_settling``: the next run is to wait for what is on its way.
    """

    job: Job | None
    is_settling: bool = False

    @property
    def is_to_go_on(self) -> bool:
        """True while the rest waits for another run."""
        return self.job is not None and not self.job.is_over


@dataclass(slots=True)
class _Work:
    """An erasure in hand."""

    job: Job
    subject: Subject
    notes: ErasureNotes
    number: int
    step: int
    steps: int
    progress: Progress
    datasets: set[str]

    @property
    def since(self) -> datetime | None:
        """The start of what the second pass reads; None in the first."""
        return self.job.started_at if self.number > 1 else None

    @property
    def checkpoint(self) -> dict[str, Any]:
        return {
            "pass": self.number,
            "step": self.step,
            "after": self.progress.after,
            STEPS: (self.number - 1) * self.steps + self.step,
            STEPS_TOTAL: _PASSES * self.steps,
            DATASETS: sorted(self.datasets),
            UNREADABLE: self.progress.unreadable,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Eraser:
    """The worker of erasures; ``clock`` says when one ends."""

    lake: Lake
    versions: ObjectVersions
    collections: SubjectCollections
    jobs: JobStore
    registry: Registry
    configurations: ConfigurationStore
    announcements: Announcements
    members: MemberStore
    clock: Callable[[], datetime]

    def run(self, model: str, job_id: str, has_time: Callable[[], bool]) -> ErasureRun:
        """Work on an erasure while there is time.

        Raises NotFound for an unknown one, Unavailable; running it again goes on where it stopped.
        """
        job = find_job(self.jobs, model, job_id, JobKind.ERASURE)
        run = ErasureRun(job)
        if run.is_to_go_on:
            self._go_on(run, self._in_hand(job), has_time)
        return run

    @property
    def _pass(self) -> ErasurePass:
        return ErasurePass(self.lake, self.versions)

    def _in_hand(self, job: Job) -> _Work:
        subject = Subject(model=job.model, entity_id=job.request[ENTITY], at=job.at)
        notes = ErasureNotes(self.lake, self.versions, job)
        notes.recall(subject)
        return _Work(
            job=job,
            subject=subject,
            notes=notes,
            number=job.checkpoint.get("pass", 1),
            step=job.checkpoint.get("step", 0),
            steps=len(self._steps()),
            progress=Progress(job.checkpoint.get("after", ""), unreadable=list(job.checkpoint.get(UNREADABLE, ()))),
            datasets=set(job.checkpoint.get(DATASETS, ())),
        )

    def _go_on(self, run: ErasureRun, work: _Work, has_time: Callable[[], bool]) -> None:
        steps = self._steps()
        while work.step < len(steps):
            for after in steps[work.step](work):
                work.progress.after = after
                if not has_time():
                    self._save(run, work)
                    return
            work.step, work.progress.after = work.step + 1, ""
            if not self._save(run, work):
                return
        if work.number < _PASSES:
            work.number, work.step = work.number + 1, 0
            run.is_settling = self._save(run, work)
            return
        self._conclude(run, work)

    def _steps(self) -> list[Callable[[_Work], Iterator[str]]]:
        """List the steps of a pass; each yields its checkpoints."""
        locations = [partial(self._redact, location=location) for location in OTHERS]
        return [
            self._find,
            self._redact_log,
            self._erase_collections,
            *locations,
            self._redact_compacted,
            self._redact_lines,
            self._redact_datasets,
            self._remove_exports,
        ]

    def _find(self, work: _Work) -> Iterator[str]:
        subject = work.subject
        for page in self.collections.find(subject.model, subject.entity_id, subject.at, work.progress.after):
            self._learn(work, page.rows)
            if page.after:
                yield page.after

    def _redact_log(self, work: _Work) -> Iterator[str]:
        """Clean the log, and learn from it of predictions that the table has let go of.

        From what was replaced, too: a packer may just have moved a row to where the list has passed by.
        """

        def learn_first(subject: Subject, content: bytes) -> RedactionResult | None:
            redacted = LOG.redact(subject, content)
            if redacted is not None:
                self._learn(work, _named_in(content, subject))
            return redacted

        yield from self._redact(work, replace(LOG, redact=learn_first))

    def _erase_collections(self, work: _Work) -> Iterator[str]:
        retention = self.configurations.newest(work.subject.model).configuration.retention
        expires_at = int(shifted(work.subject.at, retention).timestamp())
        for prediction_id in sorted(work.subject.prediction_ids):
            if prediction_id > work.progress.after:
                work.progress.counts["table"] += self.collections.erase(work.subject.model, prediction_id, expires_at)
                yield prediction_id

    def _redact(
        self,
        work: _Work,
        location: DataLocation,
        before_replacing: Callable[[str, bytes, str, RedactionResult], None] | None = None,
    ) -> Iterator[str]:
        erasure_pass = self._pass
        for versions in erasure_pass.read(
            erasure_pass.keys(location, work.subject.model, work.progress.after, work.since)
        ):
            erasure_pass.redact(location, versions, work.subject, work.progress, before_replacing)
            yield versions[0].version.key

    def _redact_compacted(self, work: _Work) -> Iterator[str]:
        """Clean compacted label records; their lines are then called otherwise, and are clean."""
        with scratch_space() as (connection, scratch):
            redactor = RecordRedactor(self.lake, self.versions, connection, scratch)
            for versions in self._pass.keys(_COMPACTED, work.subject.model, work.progress.after, work.since):
                redactor.redact(versions, work.subject, work.progress, work.notes.note_replaced)
                yield versions[0].key

    def _redact_lines(self, work: _Work) -> Iterator[str]:
        """Clean label records that are not compacted."""

        def note(key: str, content: bytes, target: str, redacted: RedactionResult) -> None:
            left = None if redacted.content is None else Source(target, hashlib.sha256(redacted.content).hexdigest())
            work.notes.note_replaced(Source(key, hashlib.sha256(content).hexdigest()), left)
            for member in emptied_members(key, content, redacted.content):
                work.notes.note_replaced(Source(member.key, member.digest), None)

        yield from self._redact(work, LABEL_RECORDS, note)

    def _redact_datasets(self, work: _Work) -> Iterator[str]:
        subject = work.subject
        replaced = work.notes.replaced()
        redactor = DatasetRedactor(self.lake, self.versions, self.registry, self.configurations, self.members)
        erased = Erasure(job_id=work.job.job_id, at=work.job.at)
        names = sorted(record.dataset_id for record in self.registry.datasets(subject.model, _MAX_DATASETS))
        for dataset_id in names:
            if dataset_id > work.progress.after:
                if redactor.redact(dataset_id, subject, replaced, erased, work.progress):
                    work.datasets.add(dataset_id)
                yield dataset_id

    def _remove_exports(self, work: _Work) -> Iterator[str]:
        """Remove all that was exported of the model, whoever is in it: it is exported again in a minute."""
        found = list(self.versions.under(model_prefix(EXPORTS, work.subject.model)))
        exported = [version.key for version in found if version.is_current]
        for key in exported:
            self.lake.delete(key)
        self.versions.purge(found)
        work.progress.counts[EXPORTS] += len(exported)
        yield ""

    def _conclude(self, run: ErasureRun, work: _Work) -> None:
        """Announce the erasure, and forget the subject."""
        job = work.job
        work.notes.purge()
        names, steps = sorted(work.datasets), _PASSES * work.steps
        kept = {DATASETS: names, UNREADABLE: work.progress.unreadable, STEPS: steps, STEPS_TOTAL: steps}
        versions = list(affected_versions(names, job.model, self.registry))
        data = {"model": job.model, "job_id": job.job_id, SUBJECT: job.request[SUBJECT], "versions": versions}
        self.announcements.publish([Announcement(name=ERASED, correlation_id=job.job_id, at=job.at, data=data)])
        done = forgotten(job.completed(self.clock(), kept))
        run.job = done if self.jobs.save(done) else None

    def _save(self, run: ErasureRun, work: _Work) -> bool:
        job = work.job.advanced(work.checkpoint, work.progress.counts)
        run.job = job if self.jobs.save(job) else None
        work.job, work.progress.counts = job, type(work.progress.counts)()
        return run.job is not None

    def _learn(self, work: _Work, rows: Any) -> None:
        """Record the subject's predictions in rows, durably: they may be gone the next moment."""
        before = len(work.subject.prediction_ids), len(work.subject.feature_digests)
        work.subject.learn(rows)
        if (len(work.subject.prediction_ids), len(work.subject.feature_digests)) != before:
            work.notes.keep(work.subject)


def _named_in(content: bytes, subject: Subject) -> Iterator[dict[str, Any]]:
    for line in unzipped(content).split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and subject.owns_record(row):
            yield row
