"""From the log of predictions to hourly profiles: each log object counts once, as it is now.

Log objects are announced at least once, in any order, to several workers, and are written again with other rows where
the stream cuts its batches anew. What an hour has merged stands in the same object as its profiles, which is replaced
only if nobody else has replaced it since it was read. An hour that is damaged is built anew from the day's log.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from shared.configuration.store import ConfigurationStore
from shared.errors import Conflict, NotFound, UnreadableObject
from shared.lake import PREDICTIONS, PROFILES, Lake, day_prefix
from shared.profiles.codec import CONTENT_TYPE
from shared.profiles.hour import HourProfiles, LogPiece, decode_hour, encode_hour, short_hash
from shared.profiles.hourly import hour_key, hour_of
from shared.profiles.log_object import LogDay, LogObject, Reading, read_log_object, tag_hash

_ROUNDS = 20


@dataclass(slots=True)
class ProfilingReport:
    """What became of log objects, by key: how many rows of each are now profiled, and which could not be."""

    rows: dict[str, int] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    unknown_models: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class LogProfiler:
    """Merges log objects into the hourly profiles; ``pause`` waits before another attempt, the first is 0."""

    lake: Lake
    configurations: ConfigurationStore
    pause: Callable[[int], None]

    def profile(self, keys: Iterable[str]) -> ProfilingReport:
        """Merge log objects into the profiles of their hours, each hour written once for all of them.

        What fails is told by key, and is safe to be profiled again. Keys that are none of the log, objects that are
        gone and those of a model that is not known any more need nothing.
        """
        report = ProfilingReport()
        days = [(day, key) for key in set(keys) if (day := LogDay.of(key)) is not None]
        for day, found in groupby(sorted(days, key=lambda pair: (pair[0].model, pair[0].day, pair[1])), lambda p: p[0]):
            day_keys = [key for _, key in found]
            try:
                configuration = self.configurations.current(day.model).configuration
            except NotFound:
                report.unknown_models.add(day.model)
                continue
            try:
                reading = Reading(configuration.features, configuration.task)
                _DayProfiler(self.lake, self.pause, day, reading, report).profile(day_keys)
            except Exception as error:  # noqa: BLE001  whatever is wrong with one day is not the others' fault
                report.failures.update(dict.fromkeys(day_keys, error))
        return report


@dataclass(frozen=True, slots=True)
class _DayProfiler:
    lake: Lake
    pause: Callable[[int], None]
    day: LogDay
    reading: Reading
    report: ProfilingReport

    def profile(self, keys: Sequence[str]) -> None:
        objects = self._read(keys)
        rewritten = self._merge(objects)
        rewritten += [found for found in objects if found not in rewritten and self._may_have_left_hours(found)]
        if not rewritten:
            return
        self._rebuild_day({hour for found in rewritten for hour in found.pieces})
        # As they are now, which may be another time as they were read: their hours that the day did not have yet.
        for found in self._merge(self._read([found.key for found in rewritten])):
            self.report.failures[found.key] = Conflict(f"{found.key} is written again and again")

    def _read(self, keys: Iterable[str]) -> list[LogObject]:
        found = []
        for key in keys:
            try:
                found.append(read_log_object(self.lake, key, self.reading))
            except NotFound:
                continue
            except Exception as error:  # noqa: BLE001  one object that cannot be read fails alone
                self.report.failures[key] = error
        return found

    def _may_have_left_hours(self, found: LogObject) -> bool:
        """Return whether hours may hold rows of an object that it has no more, though the hours it has do not tell.

        It is empty now; or while it was merged hour by hour, another worker merged a newer one into those behind.
        """
        if len(found.pieces) == 1:
            return False
        return not found.pieces or next(self.lake.tags(found.key), None) != (found.key, found.tag)

    def _merge(self, objects: Sequence[LogObject]) -> list[LogObject]:
        """Merge objects into their hours; return those of which an hour holds other rows than they have now."""
        by_key = {short_hash(found.key): found for found in objects}
        rewritten = set[int]()
        for hour in sorted({hour for found in objects for hour in found.pieces}):
            pieces = [found.pieces[hour] for found in objects if hour in found.pieces]
            try:
                rewritten |= self._merge_hour(hour, pieces)
            except Exception as error:  # noqa: BLE001  the other hours are merged; merging them again changes nothing
                self.report.failures.update({by_key[piece.name].key: error for piece in pieces})
        self.report.rows.update({found.key: found.rows for found in objects if found.key not in self.report.failures})
        return [found for name, found in by_key.items() if name in rewritten]

    def _merge_hour(self, hour: str, pieces: Sequence[LogPiece]) -> set[int]:
        rewritten = set[int]()

        def merge(held: HourProfiles) -> HourProfiles | None:
            rewritten.update(piece.name for piece in pieces if held.merged.get(piece.name, piece.tag) != piece.tag)
            fresh = [piece for piece in pieces if piece.name not in held.merged]
            return held.add(fresh) if fresh else None

        self._change(self._hour_key(hour), merge)
        return rewritten

    def _rebuild_day(self, touched: set[str]) -> None:
        """Build every hour anew that holds rows its log objects do not have any more.

        The hours that the objects still have come last: should this end halfway, they tell the next attempt that
        there is something to rebuild.
        """
        current = {
            short_hash(key): (key, tag_hash(tag))
            for key, tag in self.lake.tags(day_prefix(PREDICTIONS, self.day.model, self.day.day))
        }
        last = {self._hour_key(hour) for hour in touched}
        keys = list(self.lake.keys(day_prefix(PROFILES, self.day.model, self.day.day)))
        for key in sorted(keys, key=lambda key: (key in last, key)):
            self._change(key, lambda held, key=key: self._rebuilt(held, key, current))  # type: ignore[misc]

    def _rebuilt(self, held: HourProfiles, key: str, current: Mapping[int, tuple[str, int]]) -> HourProfiles | None:
        if all(name in current and current[name][1] == tag for name, tag in held.merged.items()):
            return None
        pieces = list[LogPiece]()
        for name in held.merged.keys() & current.keys():
            found = read_log_object(self.lake, current[name][0], self.reading, hour_of(key))
            pieces.extend(found.pieces.values())
        return HourProfiles().add(pieces)

    def _change(self, key: str, change: Callable[[HourProfiles], HourProfiles | None]) -> None:
        """Replace an hour's profiles by what ``change`` makes of them, read anew until nobody comes between.

        Nothing is written where it returns None of an hour that is whole.
        """
        for attempt in range(_ROUNDS):
            held, tag, damaged = self._held(key)
            changed = change(held)
            if changed is None and damaged:
                changed = held
            if changed is None:
                return
            if self.lake.replace_bytes(key, encode_hour(changed), CONTENT_TYPE, expected=tag):
                return
            self.pause(attempt)
        raise Conflict(f"{key} is changed by other workers again and again")

    def _held(self, key: str) -> tuple[HourProfiles, str | None, bool]:
        """Return an hour's profiles, their object's tag, and whether that is damaged: then they are the log's."""
        try:
            content, tag = self.lake.read_tagged(key)
        except NotFound:
            return HourProfiles(), None, False
        try:
            return decode_hour(content), tag, False
        except UnreadableObject:
            return self._from_log(hour_of(key)), tag, True

    def _from_log(self, hour: str) -> HourProfiles:
        """Return the profiles of an hour as the day's log objects have it.

        What is gone, or cannot be read, is left out: it is merged when it is announced again, and can be.
        """
        pieces = list[LogPiece]()
        for key in self.lake.keys(day_prefix(PREDICTIONS, self.day.model, self.day.day)):
            try:
                pieces.extend(read_log_object(self.lake, key, self.reading, hour).pieces.values())
            except (NotFound, UnreadableObject):
                continue
        return HourProfiles().add(pieces)

    def _hour_key(self, hour: str) -> str:
        return hour_key(self.day.model, self.day.day, hour)
