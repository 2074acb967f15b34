"""Replaying a quarantine: what can be read by now goes the way of all feedback, the rest stays with its newest reason.

Each object passes through four steps, any of which may be the last before a crash and is then done again:

1. What can be read is made durable in the stream (or the table), then in ``replayed/``.
2. What cannot is written to quarantine anew, marked with the replay, so that this replay passes it over.
3. One conditional write says that the object is in hand, and counts it.
4. The object is removed, and the place moves past it.

Before the third nothing is removed and nothing counted; after it nothing is read again. Feedback that reaches the join
twice is one there, by its id.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from shared.configuration.store import ConfigurationStore
from shared.errors import NotFound
from shared.jobs import Job, JobKind, JobStore
from shared.labels.quarantine import UNREADABLE, Quarantine, QuarantinedRow, parse_key
from shared.labels.quarantine_report import rows_in
from shared.labels.replay_request import REPLAYED as SENT
from shared.labels.replay_request import SETTLED, ReplayFilter, counted
from shared.labels.reread import Reread, Rereader
from shared.lake import QUARANTINE, REPLAYED, Lake, day_prefix, model_prefix

_AFTER = "after"
_IN_HAND = "in_hand"


@dataclass(frozen=True, slots=True)
class ReplayRequests:
    """Takes requests to replay; asking twice with one request is one replay."""

    jobs: JobStore
    configurations: ConfigurationStore
    lake: Lake

    def take(self, job: Job) -> Job:
        """Return the replay as it is stored. Raises NotFound for a model that has neither configuration nor rows."""
        if job.model != UNREADABLE and next(self.lake.keys(model_prefix(QUARANTINE, job.model)), None) is None:
            self.configurations.current(job.model)
        return self.jobs.start(job)


@dataclass(frozen=True, slots=True)
class QuarantineReplay:
    """Does the work of replays, object by object."""

    lake: Lake
    quarantine: Quarantine
    jobs: JobStore
    rereader: Rereader

    def run(self, model: str, replay_id: str, has_time: Callable[[], bool]) -> Job | None:
        """Work on a replay while there is time; return it as far as it came, None if another worker has taken it over.

        Raises NotFound for an unknown replay, Unavailable; running it again goes on where it stopped.
        """
        job = self.jobs.load(model, JobKind.REPLAY, replay_id)
        if job is None:
            raise NotFound(f"the model {model!r} has no replay {replay_id!r}")
        if job.is_done:
            return job
        if key := job.place.get(_IN_HAND):
            job = self._put_away(job, key)
        if job is None:
            return None
        for key in self._keys(job):
            rows = [row for row in rows_in(self.lake, key) if row.replay_id != job.job_id]
            if not rows:
                continue
            if not has_time():
                return job
            job = self._replay(job, key, rows)
            if job is None:
                return None
        return self._saved(job.done())

    def _keys(self, job: Job) -> Iterator[str]:
        chosen = ReplayFilter.of(job)
        first = day_prefix(QUARANTINE, job.model, chosen.first) if chosen.first else ""
        after = max(first, job.place.get(_AFTER, ""))
        for key in self.lake.keys(model_prefix(QUARANTINE, job.model), after=after):
            described = parse_key(key)
            if described is not None and chosen.last is not None and described.day > chosen.last:
                return
            if described is not None and chosen.takes(described):
                yield key

    def _replay(self, job: Job, key: str, rows: Sequence[QuarantinedRow]) -> Job | None:
        reread = self.rereader.take(rows, job.at)
        counts = _counts(reread)
        if not (reread.replayed or reread.settled) and _standing(reread.kept) == _standing(rows):
            return self._saved(job.advanced({_AFTER: key}, counts))
        moved = [(SENT, row) for row in reread.replayed] + [(SETTLED, row) for row in reread.settled]
        if moved:
            self.lake.write_lines(
                _audit_key(job, key),
                [{**row.to_json(), "outcome": outcome, "replay_id": job.job_id} for outcome, row in moved],
            )
        self.quarantine.put(replace(row, replay_id=job.job_id) for row in reread.kept)
        in_hand = self._saved(job.advanced({**job.place, _IN_HAND: key}, counts))
        return None if in_hand is None else self._put_away(in_hand, key)

    def _put_away(self, job: Job, key: str) -> Job | None:
        self.lake.delete(key)
        return self._saved(job.advanced({_AFTER: key}))

    def _saved(self, job: Job) -> Job | None:
        return job if self.jobs.save(job) else None


def _counts(reread: Reread) -> dict[str, int]:
    kept = Counter(row.code for row in reread.kept)
    return counted(len(reread.replayed), len(reread.settled), kept)


def _standing(rows: Sequence[QuarantinedRow]) -> list[tuple[str, str, str, str]]:
    return sorted((row.identity, row.code.value, row.reason, row.path or "") for row in rows)


def _audit_key(job: Job, key: str) -> str:
    described = parse_key(key)
    assert described is not None
    name = key.rpartition("/")[2]
    return f"{day_prefix(REPLAYED, job.model, described.day)}{job.job_id}-{name}"
