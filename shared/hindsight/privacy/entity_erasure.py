"""The erasure of an entity, step by step.

First it is found out which predictions are the entity's, from the table and the log. Each collection is then
replaced by a mark that keeps it from coming back, and what the entity's predictions share with events is removed. Then
every place of the lake is redacted, the datasets last: they are rebuilt from the redacted records.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from hindsight.config.labels import MatchBy
from hindsight.config.store import ConfigurationStore
from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.batches import chunks
from hindsight.core.jobs import Job
from hindsight.datasets.building.snapshot import scratch_space
from hindsight.datasets.dataset import Erasure, Source
from hindsight.datasets.members import MemberStore
from hindsight.entities.feedback import MatchKey
from hindsight.labels.resolve import shifted
from hindsight.lake.object_store import COMPACTED, EXPORTS, Lake, model_prefix
from hindsight.lake.pack import emptied_members
from hindsight.privacy.data_map import LABEL_RECORDS, LOG, OTHERS, DataLocation
from hindsight.privacy.datasets import DatasetRedactor
from hindsight.privacy.erasure import Step
from hindsight.privacy.notes import ErasureNotes
from hindsight.privacy.passes import ErasurePass, Work
from hindsight.privacy.records import RecordRedactor
from hindsight.privacy.redaction import RedactionResult, unzipped
from hindsight.privacy.requests import ENTITY, SUBJECT, affected_versions
from hindsight.privacy.stores import ObjectVersions, SubjectCollections, SubjectKeys
from hindsight.privacy.subject import Subject
from hindsight.registry.store import Registry

ERASED = "SubjectErased"
# Of the newest versions: the bus takes 256 KB, and what it refuses would never be over. The job's report has them all.
MAX_ANNOUNCED = 500
_MAX_DATASETS = 10_000
# What a run notes at once: noting them one by one would write all the others with each.
_REFERENCES_A_NOTE = 100
_COMPACTED = DataLocation(
    name=COMPACTED, prefixes=lambda model: (model_prefix(COMPACTED, model),), redact=lambda *_: None
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityErasure:
    """The steps of the erasure of an entity; see ``hindsight.privacy.erasure.ErasureKind``."""

    lake: Lake
    versions: ObjectVersions
    collections: SubjectCollections
    keys: SubjectKeys
    registry: Registry
    configurations: ConfigurationStore
    announcements: Announcements
    members: MemberStore

    def subject(self, job: Job) -> Subject:
        """Build the entity of a job, its predictions as far as the notes name them."""
        subject = Subject(model=job.model, entity_id=job.request[ENTITY], at=job.at)
        self._notes(job).recall(subject)
        return subject

    def steps(self) -> Sequence[Step]:
        """List the steps of a pass."""
        locations = [partial(self._pass.clean, location=location) for location in OTHERS]
        return [
            self._find,
            self._redact_log,
            self._erase_collections,
            self._erase_entity_key,
            self._erase_references,
            *locations,
            self._redact_compacted,
            self._redact_lines,
            self._redact_datasets,
            self._remove_exports,
        ]

    def finalize(self, work: Work, _now: datetime) -> None:
        """Announce the erasure, and forget what it worked with."""
        job = work.job
        self._notes(job).purge()
        affected = affected_versions(work.datasets, job.model, self.registry)
        versions = list(islice(affected, MAX_ANNOUNCED))
        data = {"model": job.model, "job_id": job.job_id, SUBJECT: job.request[SUBJECT], "versions": versions}
        self.announcements.publish([Announcement(name=ERASED, correlation_id=job.job_id, at=job.at, data=data)])

    @property
    def _pass(self) -> ErasurePass:
        return ErasurePass(self.lake, self.versions)

    def _notes(self, job: Job) -> ErasureNotes:
        return ErasureNotes(self.lake, self.versions, job)

    def _find(self, work: Work) -> Iterator[str]:
        subject = work.subject
        for page in self.collections.find(subject.model, subject.entity_id, subject.at, work.progress.after):
            self._learn(work, page.rows)
            if page.after:
                yield page.after

    def _redact_log(self, work: Work) -> Iterator[str]:
        """Clean the log, and learn from it of predictions that have expired from the table.

        From what was replaced, too: a packer may just have moved a row to where the list has passed by.
        """

        def learn_first(subject: Subject, content: bytes) -> RedactionResult | None:
            redacted = LOG.redact(subject, content)
            if redacted is not None:
                self._learn(work, _named_in(content, subject))
            return redacted

        yield from self._pass.clean(work, replace(LOG, redact=learn_first))

    def _erase_collections(self, work: Work) -> Iterator[str]:
        retention = self.configurations.newest(work.subject.model).configuration.retention
        expires_at = int(shifted(work.subject.at, retention).timestamp())
        for prediction_id in sorted(work.subject.prediction_ids):
            if prediction_id > work.progress.after:
                work.progress.counts["table"] += self.collections.erase(work.subject.model, prediction_id, expires_at)
                yield prediction_id

    def _erase_entity_key(self, work: Work) -> Iterator[str]:
        """Remove the events by the entity, whether a prediction has them or not, and the entries of its predictions."""
        key = MatchKey(work.subject.model, MatchBy.ENTITY, work.subject.entity_id)
        yield from self._erase_key(work, key)

    def _erase_references(self, work: Work) -> Iterator[str]:
        """Remove what lies under the references that only the entity has, and its entries under those it shares."""
        subject = work.subject
        left = [reference for reference in sorted(subject.references) if reference > work.progress.after]
        for chunk in chunks(left, _REFERENCES_A_NOTE):
            keys = [MatchKey(subject.model, MatchBy.REFERENCE, reference) for reference in chunk]
            shared = self.keys.shared(keys, subject.entity_id)
            # Noted before anything is removed: what is left of them, here and in the lake, is the entity's from now on.
            before = subject.size
            subject.own_references.update(key.value for key in keys if key not in shared)
            if subject.size != before:
                self._notes(work.job).keep(subject)
            for key in keys:
                if key in shared:
                    work.progress.counts["table"] += self.keys.withdraw(key, subject.prediction_ids)
                else:
                    yield from self._erase_key(work, key)
            yield chunk[-1]

    def _erase_key(self, work: Work, key: MatchKey) -> Iterator[str]:
        for count in self.keys.erase(key, work.subject.at):
            work.progress.counts["table"] += count
            yield work.progress.after

    def _redact_compacted(self, work: Work) -> Iterator[str]:
        """Clean compacted label records; their lines are then called otherwise, and are clean."""
        notes = self._notes(work.job)
        with scratch_space() as (connection, scratch):
            redactor = RecordRedactor(self.lake, self.versions, connection, scratch)
            for key, versions in self._pass.keys(_COMPACTED, work.subject.model, work.progress.after, work.since):
                redactor.redact(versions, work.subject, work.progress, notes.note_replaced)
                yield key

    def _redact_lines(self, work: Work) -> Iterator[str]:
        """Clean label records that are not compacted."""
        notes = self._notes(work.job)

        def note(key: str, content: bytes, target: str, redacted: RedactionResult) -> None:
            left = None if redacted.content is None else Source(target, hashlib.sha256(redacted.content).hexdigest())
            notes.note_replaced(Source(key, hashlib.sha256(content).hexdigest()), left)
            for member in emptied_members(key, content, redacted.content):
                notes.note_replaced(Source(member.key, member.digest), None)

        yield from self._pass.clean(work, LABEL_RECORDS, note)

    def _redact_datasets(self, work: Work) -> Iterator[str]:
        subject = work.subject
        replaced = self._notes(work.job).replaced()
        redactor = DatasetRedactor(self.lake, self.versions, self.registry, self.configurations, self.members)
        erased = Erasure(job_id=work.job.job_id, at=work.job.at)
        names = sorted(record.dataset_id for record in self.registry.datasets(subject.model, _MAX_DATASETS))
        for dataset_id in names:
            if dataset_id > work.progress.after:
                if redactor.redact(dataset_id, subject, replaced, erased, work.progress):
                    work.datasets.add(dataset_id)
                yield dataset_id

    def _remove_exports(self, work: Work) -> Iterator[str]:
        """Remove all that was exported of the model, unread: what is exported again is without the entity."""
        for count in self.versions.purge_all(model_prefix(EXPORTS, work.subject.model)):
            work.progress.counts[EXPORTS] += count
            if count:
                yield ""

    def _learn(self, work: Work, rows: Any) -> None:
        """Record the subject's predictions in rows, durably: they may be gone the next moment."""
        before = work.subject.size
        work.subject.learn(rows)
        if work.subject.size != before:
            self._notes(work.job).keep(work.subject)


def _named_in(content: bytes, subject: Subject) -> Iterator[dict[str, Any]]:
    for line in unzipped(content).split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and subject.owns_record(row):
            yield row
