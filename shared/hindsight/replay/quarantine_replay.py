"""Replaying a quarantine: what can be read by now goes the way of all feedback, the rest stays with its newest reason.

Each object passes through four steps, any of which may be the last before a crash and is then done again:

1. What can be read is made durable in the stream (or the table), then in ``replayed/``.
2. What cannot is written to quarantine again, marked with the replay, so that this replay passes it over.
3. One conditional write notes that the object is in hand, and counts it.
4. The object is removed, and the checkpoint moves past it.

Before the third nothing is removed and nothing counted; after it nothing is read again. Feedback that reaches the join
twice is one there, by its id.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hindsight.config.store import ConfigurationStore, find_work
from hindsight.core.jobs import Job, JobKind, JobStore, WorkQueue, job_message, send_again
from hindsight.lake.object_store import QUARANTINE, REPLAYED, Lake, day_prefix, model_prefix
from hindsight.quarantine.replay_request import JOINED, ReplayFilter, counted, replay_job
from hindsight.quarantine.replay_request import REPLAYED as SENT
from hindsight.quarantine.report import require_model, rows_in
from hindsight.quarantine.store import Quarantine, QuarantinedRow, parse_key
from hindsight.replay.reread import RereadCounts, Rereader
from hindsight.validation.timestamps import ClientTimestamps

_AFTER = "after"
_IN_HAND = "in_hand"


@dataclass(frozen=True, slots=True)
class ReplayRequests:
    """The intake of replay requests; one that is delivered twice is one replay."""

    jobs: JobStore
    configurations: ConfigurationStore
    lake: Lake
    queue: WorkQueue
    trust: ClientTimestamps

    def take(self, model: str, body: object, *, now: datetime, request_id: str, actor: str) -> Job:
        """Begin the replay of a request.

        Raises InvalidInput with the path at fault, NotFound for a model that has neither configuration nor rows.
        """
        job = replay_job(model, body, now=now, request_id=request_id, actor=actor, trust=self.trust)
        if next(self.lake.keys(model_prefix(QUARANTINE, model)), None) is None:
            require_model(self.configurations, model)
        job = self.jobs.start(job)
        self.queue.send(job_message(job))
        return job

    def resume(self, model: str, job_id: str) -> None:
        """Send a replay to its worker again. Raises NotFound, NotResumable."""
        send_again(self.jobs, self.queue, model, job_id, JobKind.REPLAY)


@dataclass(slots=True)
class ReplayRun:
    """The result of one run: the replay's progress, None if another worker has taken it over."""

    job: Job | None
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def is_to_go_on(self) -> bool:
        """True if the rest waits for another run."""
        return self.job is not None and not self.job.is_over


@dataclass(frozen=True, slots=True)
class QuarantineReplay:
    """The worker of replays, object by object; ``clock`` says when one ends."""

    lake: Lake
    quarantine: Quarantine
    jobs: JobStore
    rereader: Rereader
    clock: Callable[[], datetime]

    def run(self, model: str, job_id: str, has_time: Callable[[], bool]) -> ReplayRun:
        """Work on a replay while there is time.

        Of a model that has left it ends as failed, before it moves anything. Raises NotFound for an unknown replay,
        Unavailable; running it again goes on where it stopped.
        """
        configurations = self.rereader.configurations
        job = find_work(self.jobs, configurations, model, job_id, JobKind.REPLAY, clock=self.clock)
        run = ReplayRun(job)
        if job is not None and run.is_to_go_on:
            self._go_on(run, job, has_time)
        return run

    def _go_on(self, run: ReplayRun, job: Job, has_time: Callable[[], bool]) -> None:
        if key := job.checkpoint.get(_IN_HAND):
            self._put_away(run, key)
        passed = None
        for key in self._keys(job):
            if run.job is None:
                return
            if not has_time():
                if passed is not None:
                    # What was written by this replay is read once, however many runs it takes.
                    self._save(run, run.job.advanced({_AFTER: passed}))
                return
            rows = [row for row in rows_in(self.lake, key) if row.job_id != job.job_id]
            passed = None if rows else key
            if rows:
                self._replay(run, key, rows)
        if run.job is not None:
            self._save(run, run.job.completed(self.clock()))

    def _keys(self, job: Job) -> Iterator[str]:
        chosen = ReplayFilter.of(job)
        first = day_prefix(QUARANTINE, job.model, chosen.first) if chosen.first else ""
        after = max(first, job.checkpoint.get(_AFTER, ""))
        for key in self.lake.keys(model_prefix(QUARANTINE, job.model), after=after):
            described = parse_key(key)
            if described is not None and chosen.last is not None and described.day > chosen.last:
                return
            if described is not None and chosen.takes(described):
                yield key

    def _replay(self, run: ReplayRun, key: str, rows: Sequence[QuarantinedRow]) -> None:
        assert run.job is not None
        job = run.job
        reread = self.rereader.take(rows, job.at)
        if not (reread.replayed or reread.joined) and _standing(reread.kept) == _standing(rows):
            self._save(run, job.advanced({_AFTER: key}, _counts(reread)), _counts(reread))
            return
        moved = [(SENT, row) for row in reread.replayed] + [(JOINED, row) for row in reread.joined]
        if moved:
            self.lake.write_lines(
                _audit_key(job, key),
                [{**row.to_json(), "outcome": outcome, "job_id": job.job_id} for outcome, row in moved],
            )
        self.quarantine.put(row.replace(job_id=job.job_id) for row in reread.kept)
        self._save(run, job.advanced({**job.checkpoint, _IN_HAND: key}, _counts(reread)), _counts(reread))
        self._put_away(run, key)

    def _put_away(self, run: ReplayRun, key: str) -> None:
        if run.job is not None:
            self.lake.delete(key)
            self._save(run, run.job.advanced({_AFTER: key}))

    def _save(self, run: ReplayRun, job: Job, counts: Mapping[str, int] | None = None) -> None:
        run.job = job if self.jobs.save(job) else None
        if run.job is not None:
            run.counts.update(counts or {})


def _counts(reread: RereadCounts) -> dict[str, int]:
    kept = Counter(row.code for row in reread.kept)
    return counted(len(reread.replayed), len(reread.joined), kept)


def _standing(rows: Sequence[QuarantinedRow]) -> list[tuple[str, str, str, str]]:
    return sorted((row.identity, row.code.value, row.reason, row.path or "") for row in rows)


def _audit_key(job: Job, key: str) -> str:
    described = parse_key(key)
    assert described is not None
    name = key.rpartition("/")[2]
    return f"{day_prefix(REPLAYED, job.model, described.day)}{job.job_id}-{name}"
