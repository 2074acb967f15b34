"""The profiler of a day of a model's log, hour by hour: each log object counts once, as it is now.

Log objects are announced at least once, in any order, to several workers, and are written again with other rows where
the stream cuts its batches again; packs hold them together later. What an hour has merged is stored in one object with
its profiles, which is replaced only if no other worker has replaced it since it was read. A damaged hour is rebuilt.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from hindsight.core.errors import Conflict, NotFound, UnreadableObject
from hindsight.core.retry import Overtaken, optimistic
from hindsight.lake.object_store import PROFILES, Lake, TaggedObject, day_prefix
from hindsight.lake.pack import is_pack
from hindsight.profiles.codec import CONTENT_TYPE
from hindsight.profiles.logs.day_log import READERS, DayLog, TimeUp
from hindsight.profiles.logs.hour import HourProfiles, LogPiece, decode_hour, decode_merged, encode_hour, short_hash
from hindsight.profiles.logs.hourly import hour_key, hour_of
from hindsight.profiles.logs.log_object import LogObject, LogPart, log_parts

_ROUNDS = 20
# Hours that are rebuilt in one pass have merged no more objects than this: then some are always done in time.
_MAX_REBUILT = 4_000
_MAX_PROFILED = 100


@dataclass(slots=True)
class ProfilingReport:
    """The result for log objects, by key: the number of rows of each that are now profiled, and the failures.

    Time did not suffice for those that are ``postponed``.
    """

    rows: dict[str, int] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    postponed: set[str] = field(default_factory=set)
    unknown_models: set[str] = field(default_factory=set)


class _AnnouncedObject(NamedTuple):
    """An object of the log as it was read, with the key it was announced under and the tag that object had then."""

    announced: str
    tag: str
    object: LogObject


class _StoredHour(NamedTuple):
    """An hour as it was read: its profiles, their object's tag, and whether that is damaged."""

    profiles: HourProfiles
    tag: str | None
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class DayProfiler:
    """The profiler that merges objects of the day into its hours."""

    lake: Lake
    pause: Callable[[int], None]
    log: DayLog
    report: ProfilingReport

    def profile(self, keys: Sequence[str]) -> None:
        """Merge log objects into the profiles of their hours; failures are reported by key. Raises TimeUp."""
        self._settle(self._read([key for key in keys if not is_pack(key)]))
        for pack, found in self.log.read([key for key in keys if is_pack(key)]):
            if found is not None:
                try:
                    self._profile_pack(pack, found)
                except UnreadableObject as error:
                    self.report.failures[pack] = error

    def _read(self, keys: Sequence[str]) -> list[_AnnouncedObject]:
        objects = []
        for key, found in self.log.read(keys):
            if found is None:
                continue  # it is in a pack, which is announced as well
            try:
                objects += [
                    _AnnouncedObject(key, found.tag, part.profiled(self.log.profiler))
                    for part in log_parts(key, found.content)
                ]
            except UnreadableObject as error:
                self.report.failures[key] = error
        return objects

    def _profile_pack(self, pack: str, found: TaggedObject) -> None:
        """Merge members of a pack that are not merged yet: as a rule all were, before they were packed."""
        parts = {part.key: part for part in log_parts(pack, found.content)}
        hours = {key: part.hours() for key, part in parts.items()}
        merged = dict(zip(*self._merged({hour for found in hours.values() for hour in found}), strict=True))
        news = {
            key
            for key, part in parts.items()
            if not part.part.lines or any(merged[hour].get(part.name) != part.digest for hour in hours[key])
        }
        if not news:
            return
        since = min(parts[key].part.member.written_at for key in news)
        current = self.log.find(news, since)
        for first in range(0, len(current), _MAX_PROFILED):
            some = current[first : first + _MAX_PROFILED]
            self._settle([_AnnouncedObject(pack, found.tag, part.profiled(self.log.profiler)) for part in some])

    def _merged(self, hours: Iterable[str]) -> tuple[list[str], list[Mapping[int, int]]]:
        """Read the objects merged into hours; none for an hour that is damaged or missing."""
        ordered = sorted(hours)
        with ThreadPoolExecutor(READERS) as readers:
            return ordered, list(readers.map(self._merged_into, ordered))

    def _merged_into(self, hour: str) -> Mapping[int, int]:
        try:
            return decode_merged(self.lake.read_bytes(self._hour_key(hour)))
        except (NotFound, UnreadableObject):
            return {}

    def _settle(self, objects: Sequence[_AnnouncedObject]) -> None:
        """Merge objects, and rebuild the hours that hold rows of them which they have no more."""
        rewritten = self._merge(objects)
        rewritten += [found for found in objects if found not in rewritten and self._may_have_left_hours(found)]
        if not rewritten:
            return
        announced = {found.object.key: found.announced for found in rewritten}
        now = self._rebuild_day(announced.keys(), {hour for found in rewritten for hour in found.object.pieces})
        # Their hours that the day did not have yet.
        again = [_AnnouncedObject(announced[part.key], "", part.profiled(self.log.profiler)) for part in now]
        for found in self._merge(again):
            self.report.failures[found.announced] = Conflict(f"{found.object.key} is written again and again")

    def _may_have_left_hours(self, found: _AnnouncedObject) -> bool:
        """Suspect hours of holding rows that an object has no more, where the hours it has do not show it.

        It is empty now; or while it was merged hour by hour, another worker merged a newer one into those behind. A tag
        that is another one need not mean other bytes: the hours are compared by what it holds now.
        """
        if len(found.object.pieces) == 1:
            return False
        held = next(self.lake.tags(found.announced), None)
        return not found.object.pieces or held is None or _bare(held[1]) != _bare(found.tag)

    def _merge(self, objects: Sequence[_AnnouncedObject]) -> list[_AnnouncedObject]:
        """Merge objects into their hours; list those of which an hour holds other rows than they have now."""
        by_name = {short_hash(found.object.key): found for found in objects}
        rewritten = set[int]()
        for hour in sorted({hour for found in objects for hour in found.object.pieces}):
            pieces = [found.object.pieces[hour] for found in objects if hour in found.object.pieces]
            try:
                rewritten |= self._merge_hour(hour, pieces)
            except TimeUp:
                raise
            except Exception as error:  # noqa: BLE001  the other hours are merged; merging them again changes nothing
                self.report.failures.update({by_name[piece.name].announced: error for piece in pieces})
        for found in objects:
            if found.announced not in self.report.failures:
                rows = self.report.rows if is_pack(found.announced) else {}
                self.report.rows[found.announced] = rows.get(found.announced, 0) + found.object.rows
        return [found for name, found in by_name.items() if name in rewritten]

    def _merge_hour(self, hour: str, pieces: Sequence[LogPiece]) -> set[int]:
        """Merge pieces into an hour, read again until no other worker comes between; list the objects it has otherwise.

        Nothing is written where all are merged already and the hour is whole.
        """
        key, rewritten = self._hour_key(hour), set[int]()

        def attempt() -> None:
            held = self._held(key)
            merged = held.profiles.merged
            rewritten.update(piece.name for piece in pieces if merged.get(piece.name, piece.tag) != piece.tag)
            fresh = [piece for piece in pieces if piece.name not in merged]
            if not fresh and not held.is_damaged:
                return
            changed = held.profiles.add(fresh) if fresh else held.profiles
            if not self._replace(key, changed, held.tag):
                raise Overtaken

        busy = Conflict(f"{key} is changed by other workers again and again")
        optimistic(attempt, otherwise=busy, pause=self.pause, max_attempts=_ROUNDS)
        return rewritten

    def _rebuild_day(self, keys: Collection[str], touched: set[str]) -> list[LogPart]:
        """Rebuild every hour that holds other rows of some objects than these have now, and list these objects.

        The hours that the objects still have come last: should this end halfway, they show the next attempt that
        there is something to rebuild.
        """
        names = set(map(short_hash, keys))
        last = {self._hour_key(hour) for hour in touched}
        for attempt in range(_ROUNDS):
            now = self.log.find(keys)
            digests = {part.name: part.digest for part in now}
            held = self._held_day()
            stale = [
                key
                for key, hour in held.items()
                if any(name in names and digests.get(name) != known for name, known in hour.profiles.merged.items())
            ]
            if not stale:
                return now
            stale.sort(key=lambda key: (key in last, key))
            rebuilt = [self._rebuild(group, held, names) for group in _groups(stale, held)]
            if not all(rebuilt):
                self.pause(attempt)
        raise Conflict(f"the hours of {self.log.day.day} are changed by other workers again and again")

    def _rebuild(self, keys: Sequence[str], held: Mapping[str, _StoredHour], names: Collection[int]) -> bool:
        """Rebuild hours; False if another worker came between.

        Of objects other than those of the ``names`` they remember the same as before: one of them may have been written
        again, too, and once that is announced, its hours must still show that there is something to do.
        """
        wanted = {
            hour_of(key): {name: None if name in names else known for name, known in held[key].profiles.merged.items()}
            for key in keys
        }
        built = self.log.profile(wanted)
        replaced = [self._replace(key, built[hour_of(key)], held[key].tag) for key in keys]
        return all(replaced)

    def _held_day(self) -> dict[str, _StoredHour]:
        keys = list(self.lake.keys(day_prefix(PROFILES, self.log.day.model, self.log.day.day)))
        with ThreadPoolExecutor(READERS) as readers:
            return dict(zip(keys, readers.map(self._held, keys), strict=True))

    def _replace(self, key: str, hour: HourProfiles, expected: str | None) -> bool:
        return self.lake.replace_bytes(key, encode_hour(hour), CONTENT_TYPE, expected=expected)

    def _held(self, key: str) -> _StoredHour:
        """Read an hour, or rebuild a damaged one from the day's log.

        Objects that are gone or unreadable are left out, and merged when they are announced again.
        """
        try:
            content, tag = self.lake.read_tagged(key)
        except NotFound:
            return _StoredHour(HourProfiles(), None)
        try:
            return _StoredHour(decode_hour(content), tag)
        except UnreadableObject:
            hour = hour_of(key)
            return _StoredHour(self.log.profile({hour: None}, is_tolerant=True)[hour], tag, is_damaged=True)

    def _hour_key(self, hour: str) -> str:
        return hour_key(self.log.day.model, self.log.day.day, hour)


def _groups(keys: Sequence[str], held: Mapping[str, _StoredHour]) -> Iterator[list[str]]:
    """Group hours in their order, together as many as have merged a bounded number of objects."""
    group: list[str] = []
    count = 0
    for key in keys:
        count += len(held[key].profiles.merged)
        if group and count > _MAX_REBUILT:
            yield group
            group, count = [], len(held[key].profiles.merged)
        group.append(key)
    if group:
        yield group


def _bare(tag: str) -> str:
    """Strip a tag's quotes."""
    return tag.strip('"')
