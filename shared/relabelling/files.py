"""Relabelling by files: raw feedback and archived predictions, read in bounded chunks, each noted when it is done."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from shared.capture.feedback import Feedback
from shared.capture.prediction import PredictionKey
from shared.configuration.store import ConfigurationStore
from shared.errors import NotFound, Unavailable
from shared.labels.feedback_files import CHUNK_LINES, FEEDBACK_PREFIX, file_day, parse_feedback_line
from shared.labels.join import Joined, JoinReport, LabelJoiner
from shared.lake import REWRITTEN, Lake
from shared.packing.pack import is_mark, is_pack
from shared.relabelling.job import Counts, RelabelJob, RelabelStatus, prefixes
from shared.relabelling.rules import same_rules
from shared.relabelling.store import FilePosition, RelabelStore


@dataclass(frozen=True, slots=True)
class RelabelBatch:
    """Some files, for one attempt of a relabelling."""

    model: str
    relabel_id: str
    attempt: int
    keys: tuple[str, ...]


class _Packed(Exception):
    """A file of the log is gone: its rows are in a pack that was written before it went."""


@dataclass(slots=True)
class _Chunk:
    """Lines up to ``end``: whose labels to look at, and with which events."""

    end: int
    is_last: bool = False
    events: dict[PredictionKey, list[Feedback]] = field(default_factory=dict)
    rows: int = 0


@dataclass(frozen=True, slots=True)
class RelabelFiles:
    """Works through files; whatever was done before, by whom ever, is neither done nor counted again."""

    lake: Lake
    joiner: LabelJoiner
    store: RelabelStore
    configurations: ConfigurationStore

    def count(self, model: str, relabel_id: str) -> int:
        """Count the files a relabelling is to read, and note it. Raises NotFound."""
        job = self.store.job(model, relabel_id)
        total = sum(job.covers(file_day(key)) for prefix in prefixes(job) for key in self.lake.keys(prefix))
        self.store.note_files(job, total)
        return total

    def relabel(self, batch: RelabelBatch, has_time: Callable[[], bool]) -> tuple[str, ...]:
        """Relabel from a batch of files while there is time; return those that are left.

        A file that cannot be read or relabelled does not hold up the others: it is noted as a failure of the
        attempt, and a resumption tries it again. Nothing is done for an attempt that is no longer the open one, or
        whose rules are no longer the current ones: its conclusion will say so.
        Raises Unavailable, which is no failure of a file: the same batch again goes on where this one stopped.
        """
        for position, key in enumerate(batch.keys):
            # Anew for every file: labels by rules that are newer than the request must not be dated back to it.
            job = self.store.job(batch.model, batch.relabel_id)
            if not self._is_current(job, batch):
                return ()
            try:
                # A listing by prefix may hold files of other days than those asked for.
                if job.covers(file_day(key)) and not self._relabel(job, key, has_time):
                    return batch.keys[position:]
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001  whatever is wrong with one file is not the others' fault
                self.store.note_failure(job, f"{key}: {type(error).__name__}: {error}")
        return ()

    def _is_current(self, job: RelabelJob, batch: RelabelBatch) -> bool:
        is_open = job.status is RelabelStatus.RUNNING and job.attempt == batch.attempt
        return is_open and same_rules(self.configurations, job.model, job.rules_revision)

    def _relabel(self, job: RelabelJob, key: str, has_time: Callable[[], bool]) -> bool:
        """Return whether the file is done, and the packs it may have become a part of since it was listed."""
        try:
            return self._relabel_file(job, key, has_time)
        except _Packed:
            packs = [found for found in self.lake.keys(f"{key.rpartition('/')[0]}/") if is_pack(found)]
            if not all(self._relabel(job, pack, has_time) for pack in packs):
                return False
            position = self.store.position(job, key)
            self.store.advance(job, key, position, replace(position, is_done=True), Counts(files=1))
            return True

    def _relabel_file(self, job: RelabelJob, key: str, has_time: Callable[[], bool]) -> bool:
        """Return whether the file is done; if not, the time is up."""
        while not (position := self.store.position(job, key)).is_done:
            for chunk in self._chunks(job, key, position.line):
                if not has_time():
                    return False
                report = self.joiner.relabel(chunk.events, job.known_at)
                after = FilePosition(chunk.end, chunk.is_last)
                if not self.store.advance(job, key, position, after, _counts(job.model, chunk, report)):
                    break  # Another worker has this file too, and was faster: go on from where it is.
                position = after
        return True

    def _chunks(self, job: RelabelJob, key: str, start: int) -> Iterator[_Chunk]:
        chunk = _Chunk(start)
        for number, line in self._lines(key, start):
            chunk.end = number
            _take(job.model, key, line, chunk)
            if number - start >= CHUNK_LINES:
                yield chunk
                start, chunk = number, _Chunk(number)
        chunk.is_last = True
        yield chunk

    def _lines(self, key: str, start: int) -> Iterator[tuple[int, bytes]]:
        """Yield the lines after ``start``, numbered; none of feedback that was deleted since it was listed.

        Of one that was rewritten meanwhile all that is left: nothing tells what of it was read, and twice does no harm.
        """
        try:
            for number, line in enumerate(self.lake.read_raw_lines(key), start=1):
                if number > start:
                    yield number, line
        except NotFound as error:
            if not key.startswith(FEEDBACK_PREFIX):
                raise _Packed from error
            with suppress(NotFound):
                yield from enumerate(self.lake.read_raw_lines(key + REWRITTEN), start=start + 1)


def _take(model: str, key: str, line: bytes, chunk: _Chunk) -> None:
    if key.startswith(FEEDBACK_PREFIX):
        event = parse_feedback_line(line)
        # What cannot be read was quarantined when the file was joined.
        if isinstance(event, Feedback) and event.model == model:
            chunk.events.setdefault(event.key, []).append(event)
        return
    if is_mark(line):
        return
    chunk.rows += 1
    chunk.events.setdefault(PredictionKey(model, json.loads(line)["prediction_id"]), [])


def _counts(model: str, chunk: _Chunk, report: JoinReport) -> Counts:
    joined = report.counts.get(model, Counter())
    return Counts(
        files=int(chunk.is_last),
        predictions=chunk.rows,
        events=sum(map(len, chunk.events.values())),
        recovered=joined[Joined.JOINED],
        labels=joined[Joined.LABELS],
    )


def batch_of(event: Mapping[str, Any]) -> RelabelBatch:
    """Return the batch the state machine asks for."""
    return RelabelBatch(event["model"], event["relabel_id"], event["attempt"], tuple(event["keys"]))
