"""What an erasure has to remember while it is under way: whose data it looks for, and what it has renamed."""

import hashlib
import json
from dataclasses import dataclass

from shared import compact_json
from shared.datasets.dataset import Source
from shared.erasure.subject import Subject
from shared.erasure.versions import ObjectVersions
from shared.errors import NotFound
from shared.jobs import Job
from shared.lake import Lake

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ErasureNotes:
    """The notes of one erasure, in the lake until it is done."""

    lake: Lake
    versions: ObjectVersions
    job: Job

    def recall(self, subject: Subject) -> None:
        """Add to a subject what was learnt of it."""
        try:
            known = json.loads(self.lake.read_bytes(self._key("subject.json")))
        except NotFound:
            return
        subject.prediction_ids.update(known["prediction_ids"])
        subject.feature_digests.update(known["feature_digests"])

    def keep(self, subject: Subject) -> None:
        """Remember what is known of a subject: the rows that told it may be gone the next moment."""
        self.lake.write_bytes(self._key("subject.json"), compact_json.dumps(subject.to_json()).encode(), _JSON)

    def note_replaced(self, before: Source, after: Source | None) -> None:
        """Remember what a source of datasets is called from now on, before it is."""
        name = hashlib.sha256(f"{before.key}\0{before.digest}".encode()).hexdigest()
        note = {"key": before.key, "digest": before.digest, "after": after and [after.key, after.digest]}
        self.lake.write_bytes(self._key(f"replaced/{name}.json"), compact_json.dumps(note).encode(), _JSON)

    def replaced(self) -> dict[tuple[str, str], Source | None]:
        """Return what sources are called by now, by key and digest; None where nothing is left of one."""
        notes = (json.loads(self.lake.read_bytes(key)) for key in self.lake.keys(self._key("replaced/")))
        return {(note["key"], note["digest"]): Source(*note["after"]) if note["after"] else None for note in notes}

    def purge(self) -> None:
        """Forget everything, in all versions."""
        prefix = self._key("")
        for key in list(self.lake.keys(prefix)):
            self.lake.delete(key)
        self.versions.purge(list(self.versions.under(prefix)))

    def _key(self, name: str) -> str:
        return f"erasures/model={self.job.model}/{self.job.job_id}/{name}"
