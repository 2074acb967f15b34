"""The notes of an erasure under way: its subject as far as it is known, and the objects it renames."""

import hashlib
import json
from collections import deque
from dataclasses import dataclass

from hindsight.core import compact_json
from hindsight.core.errors import NotFound
from hindsight.core.jobs import Job
from hindsight.datasets.dataset import Source
from hindsight.lake.object_store import Lake
from hindsight.privacy.stores import ObjectVersions
from hindsight.privacy.subject import Subject

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ErasureNotes:
    """The notes of one erasure, in the lake until it is done."""

    lake: Lake
    versions: ObjectVersions
    job: Job

    def recall(self, subject: Subject) -> None:
        """Complete a subject by the ids and digests noted so far."""
        try:
            known = json.loads(self.lake.read_bytes(self._key("subject.json")))
        except NotFound:
            return
        subject.recall(known)

    def keep(self, subject: Subject) -> None:
        """Note the ids and digests of a subject before the rows they were read from are removed."""
        self.lake.write_bytes(self._key("subject.json"), compact_json.dumps(subject.to_json()).encode(), _JSON)

    def note_replaced(self, before: Source, after: Source | None) -> None:
        """Note the new key and digest of a datasets' source before it is rewritten."""
        name = hashlib.sha256(f"{before.key}\0{before.digest}".encode()).hexdigest()
        note = {"key": before.key, "digest": before.digest, "after": after and [after.key, after.digest]}
        self.lake.write_bytes(self._key(f"replaced/{name}.json"), compact_json.dumps(note).encode(), _JSON)

    def replaced(self) -> dict[tuple[str, str], Source | None]:
        """Read the new keys and digests of sources by the old ones; None for a source that is gone."""
        notes = (json.loads(self.lake.read_bytes(key)) for key in self.lake.keys(self._key("replaced/")))
        return {(note["key"], note["digest"]): Source(*note["after"]) if note["after"] else None for note in notes}

    def purge(self) -> None:
        """Remove all notes, in all versions."""
        deque(self.versions.purge_all(self._key("")), maxlen=0)

    def _key(self, name: str) -> str:
        return f"erasures/model={self.job.model}/{self.job.job_id}/{name}"
