"""Relabelling by files: raw feedback and archived predictions, read in bounded chunks, each noted when it is done."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core.batches import batches
from hindsight.core.errors import NotFound, Unavailable
from hindsight.core.jobs import JobStatus
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.joining.feedback_files import CHUNK_LINES, FEEDBACK_PREFIX, file_day
from hindsight.labels.joining.feedback_join import FeedbackJoiner, SharedEvents
from hindsight.labels.joining.join import JoinCount, JoinReport, SideBySide
from hindsight.labels.relabelling.job import Counts, RelabelJob
from hindsight.labels.relabelling.reading import AlreadyPacked, Chunk, OpenFile, fault_text, read_next, take_line
from hindsight.labels.relabelling.rules import same_rules
from hindsight.labels.relabelling.store import MAX_STEPS, FilePosition, FileStep, RelabelStore
from hindsight.lake.object_store import REWRITTEN, Lake
from hindsight.lake.pack import is_pack

_ONE_FILE = Counts(files=1)


@dataclass(frozen=True, slots=True)
class RelabelBatch:
    """The files of one batch, for one attempt of a relabelling."""

    model: str
    job_id: str
    attempt: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RelabelFiles:
    """The relabeller of files; a file that any worker has finished is neither read nor counted again.

    Small files are read side by side and relabelled together, large ones a chunk at a time: what is paid for once, a
    round trip or a transaction, is shared by as many of them as fit. ``side_by_side`` maps as ``map`` does, in order.
    """

    lake: Lake
    joiner: FeedbackJoiner
    store: RelabelStore
    configurations: ConfigurationStore
    side_by_side: SideBySide = map

    def relabel(self, batch: RelabelBatch, has_time: Callable[[], bool]) -> tuple[str, ...]:
        """Relabel from a batch of files while there is time; return those that are left.

        A file that cannot be read or relabelled does not hold up the others: it is noted as a failure of the
        attempt, and a resumption tries it again. Nothing is done for an attempt that is no longer the open one, or
        whose rules are no longer the current ones: its end will record it.
        Raises Unavailable, which is no failure of a file: the same batch again goes on where this one stopped.
        """
        keys = list(dict.fromkeys(batch.keys))
        for start in range(0, len(keys), MAX_STEPS):
            left = self._work_off(batch, keys[start : start + MAX_STEPS], has_time)
            if left is None:
                return ()
            if left:
                return (*left, *keys[start + MAX_STEPS :])
        return ()

    def _work_off(
        self, batch: RelabelBatch, keys: Sequence[str], has_time: Callable[[], bool], *, is_listed: bool = True
    ) -> list[str] | None:
        """List the files that are left; None if another attempt has taken over."""
        if (job := self._current(batch)) is None:
            return None
        files = self._read_on(job, self._opened(job, keys, is_listed=is_listed))
        packed = [file for file in files if file.is_packed]
        if packed and not self._follow(batch, job, packed, has_time):
            return _unfinished(files)
        for group in _groups([file for file in files if not file.is_packed]):
            # Read again each time: labels by rules newer than the request must not be dated back to it.
            if (job := self._current(batch)) is None:
                return None
            if not has_time():
                return _unfinished(files)
            self._settle(job, group)
        for file in files:
            if not file.position.is_done and not self._finish(batch, file, has_time):
                return None if self._current(batch) is None else _unfinished(files)
        return []

    def _finish(self, batch: RelabelBatch, file: OpenFile, has_time: Callable[[], bool]) -> bool:
        """Relabel the rest of one file, chunk by chunk; True once it is done.

        It alone is open: a large object that waits for the others of its batch would lose its connection.
        """
        while not file.position.is_done:
            if (job := self._current(batch)) is None:
                return False
            if file.expected != file.position:
                file.chunks = self._chunks(job, file.key, file.position.line)
            if not self._read_on(job, [file]):
                return True
            if file.is_packed:
                return self._follow(batch, job, [file], has_time)
            if not has_time():
                return False
            self._settle(job, [file])
        return True

    def _current(self, batch: RelabelBatch) -> RelabelJob | None:
        job = self.store.state(batch.model, batch.job_id)
        is_open = job.status is JobStatus.RUNNING and job.attempt == batch.attempt
        return job if is_open and same_rules(self.configurations, job.model, job.rules_revision) else None

    def _opened(self, job: RelabelJob, keys: Sequence[str], *, is_listed: bool) -> list[OpenFile]:
        # A listing by prefix may hold files of other days than those asked for.
        covered = [key for key in keys if job.covers(file_day(key))]
        positions = self.store.positions(job, covered)
        if is_listed:
            self._count_followed(job, positions)
        return [self._open(job, key, positions[key], is_listed) for key in covered if not positions[key].is_done]

    def _open(self, job: RelabelJob, key: str, position: FilePosition, is_listed: bool) -> OpenFile:
        chunks = self._chunks(job, key, position.line)
        return OpenFile(key, position, chunks, Chunk(position.line), is_listed=is_listed)

    def _count_followed(self, job: RelabelJob, listed: Mapping[str, FilePosition]) -> None:
        """Count the listed files that were read in place of others: a file that was not listed is never counted."""
        for key, position in listed.items():
            if position.is_followed:
                self.store.advance(job, [FileStep(key, position, replace(position, is_followed=False))], _ONE_FILE)

    def _read_on(self, job: RelabelJob, files: Sequence[OpenFile]) -> list[OpenFile]:
        """Read the next chunk of some files; one that cannot be read is noted, and left out."""
        read = list(self.side_by_side(read_next, files))
        for file in read:
            if len(read) > 1 and not file.chunk.is_last:
                file.close()
            if file.fault is not None:
                self.store.note_failure(job, file.fault)
        return [file for file in read if file.fault is None]

    def _follow(
        self, batch: RelabelBatch, job: RelabelJob, files: Sequence[OpenFile], has_time: Callable[[], bool]
    ) -> bool:
        """Relabel from the packs that hold files which were packed since their listing; True once all is done."""
        folders = sorted({f"{file.key.rpartition('/')[0]}/" for file in files})
        packs = [key for folder in folders for key in self.lake.keys(folder) if is_pack(key)]
        left = self._work_off(batch, packs, has_time, is_listed=False)
        if left is None or left:
            return False
        ends = [replace(file.position, is_done=True, is_followed=not file.is_listed) for file in files]
        steps = [FileStep(file.key, file.position, end) for file, end in zip(files, ends, strict=True)]
        if not self.store.advance(job, steps, Counts(files=sum(file.is_listed for file in files))):
            for file, step in zip(files, steps, strict=True):
                # A file that another worker was faster with is counted by that worker, if it was listed to it too.
                if not self.store.advance(job, [step], _ONE_FILE if file.is_listed else Counts()) and file.is_listed:
                    self._count_followed(job, self.store.positions(job, [file.key]))
        for file, end in zip(files, ends, strict=True):
            file.position = end
        return True

    def _settle(self, job: RelabelJob, group: Sequence[OpenFile]) -> None:
        """Relabel from the chunks of some files, and record how far they are; of files that another has, go there."""
        events: dict[PredictionKey, list[Feedback]] = {}
        for file in group:
            for key, found in file.chunk.events.items():
                events.setdefault(key, []).extend(found)
        try:
            shared = SharedEvents(
                job.model,
                [event for file in group for event in file.chunk.shared],
                [key for file in group for key in file.chunk.keyed],
            )
            report = self.joiner.relabel(events, shared, job.known_at)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  a fault of one file must not stop the others
            self._settle_alone(job, group, error)
            return
        if self.store.advance(job, [file.step for file in group], _counts(job.model, group, report)):
            for file in group:
                file.position = file.step.after
        else:
            self._catch_up(job, group)

    def _settle_alone(self, job: RelabelJob, group: Sequence[OpenFile], error: Exception) -> None:
        if len(group) > 1:
            for file in group:
                self._settle(job, [file])
            return
        [file] = group
        self.store.note_failure(job, fault_text(file.key, error))
        file.position = FilePosition(file.position.line, is_done=True)

    def _catch_up(self, job: RelabelJob, group: Sequence[OpenFile]) -> None:
        """Go on from where another worker, who had a file of the group too and was faster, has brought it."""
        positions = self.store.positions(job, [file.key for file in group])
        self._count_followed(job, {file.key: positions[file.key] for file in group if file.is_listed})
        for file in group:
            file.position = positions[file.key]
            file.close()

    def _chunks(self, job: RelabelJob, key: str, start: int) -> Generator[Chunk, None, None]:
        chunk = Chunk(start)
        for number, line in self._lines(key, start):
            chunk.end = number
            take_line(job.model, key, line, chunk)
            if number - start >= CHUNK_LINES:
                yield chunk
                start, chunk = number, Chunk(number)
        chunk.is_last = True
        yield chunk

    def _lines(self, key: str, start: int) -> Iterator[tuple[int, bytes]]:
        """Read the lines after ``start``, numbered; none of feedback that was deleted since it was listed.

        A file that was rewritten meanwhile is read whole: reading a line twice is harmless.
        """
        try:
            for number, line in enumerate(self.lake.read_raw_lines(key), start=1):
                if number > start:
                    yield number, line
        except NotFound as error:
            if not key.startswith(FEEDBACK_PREFIX):
                raise AlreadyPacked from error
            with suppress(NotFound):
                yield from enumerate(self.lake.read_raw_lines(key + REWRITTEN), start=start + 1)


def _groups(files: Sequence[OpenFile]) -> Iterator[list[OpenFile]]:
    """Group files whose chunks are relabelled together: as many as have the lines of one chunk, and move on at once."""
    return batches(files, lambda file: file.chunk.end - file.position.line, room=CHUNK_LINES, most=MAX_STEPS)


def _unfinished(files: Sequence[OpenFile]) -> list[str]:
    return [file.key for file in files if not file.position.is_done]


def _counts(model: str, group: Sequence[OpenFile], report: JoinReport) -> Counts:
    joined = report.counts.get(model, Counter())
    return Counts(
        files=sum(file.chunk.is_last and file.is_listed for file in group),
        predictions=sum(file.chunk.rows for file in group),
        events=sum(len(file.chunk.shared) + sum(len(found) for found in file.chunk.events.values()) for file in group),
        recovered=joined[JoinCount.JOINED],
        labels=joined[JoinCount.LABELS],
    )


def batch_of(event: Mapping[str, Any]) -> RelabelBatch:
    """Read the batch the state machine asks for."""
    return RelabelBatch(event["model"], event["job_id"], event["attempt"], tuple(event["keys"]))
