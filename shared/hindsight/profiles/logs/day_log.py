"""A day of a model's log as it is now: each object once, whether it is alone or in packs."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from hindsight.core.errors import Conflict, HindsightError, NotFound, UnreadableObject
from hindsight.core.retry import Overtaken, optimistic
from hindsight.lake.object_store import PREDICTIONS, Lake, TaggedObject, day_prefix
from hindsight.lake.pack import is_pack, newest_in
from hindsight.profiles.logs.hour import HourProfiles, short_hash
from hindsight.profiles.logs.hour_builder import HourBuilder
from hindsight.profiles.logs.log_object import LogDay, LogPart, RowProfiler, log_parts

READERS = 32
_AHEAD = 4 * READERS
_PACKS_AHEAD = 4  # tens of megabytes each
_ROUNDS = 20
# Rows that are Python objects at one time.
_MAX_ROWS = 20_000

# Hours, and for each its objects by the hashes of their keys (None for all objects), with the digests to remember them
# by (None for the digest of what is read).
Wanted = Mapping[str, Mapping[int, int | None] | None]


T = TypeVar("T")


class TimeUp(HindsightError):
    """The time is up; the rest has to be asked for again."""

    code = "time_up"


class _ObjectMoved(Overtaken):
    """An object was packed while the day was read, so that the day has to be listed again."""


@dataclass(frozen=True, slots=True)
class DayLog:
    """The reader of one day of the log, a few objects at a time, while there is time.

    Of two objects of one key the newest counts: the one that is alone before any in a pack, of those in packs the one
    that was written last. Methods raise TimeUp.
    """

    lake: Lake
    day: LogDay
    profiler: RowProfiler
    has_time: Callable[[], bool]

    def read(self, keys: Sequence[str]) -> Iterator[tuple[str, TaggedObject | None]]:
        """Read objects, some ahead, None for one that is gone; packs come last."""
        alone = [key for key in keys if not is_pack(key)]
        packs = [key for key in keys if is_pack(key)]
        with ThreadPoolExecutor(READERS) as readers:
            for some, ahead in ((alone, _AHEAD), (packs, _PACKS_AHEAD)):
                for first in range(0, len(some), ahead):
                    if not self.has_time():
                        raise TimeUp("there is no time left to read the log")
                    batch = some[first : first + ahead]
                    yield from zip(batch, readers.map(self._tagged, batch), strict=True)

    def find(self, keys: Collection[str], since: str = "") -> list[LogPart]:
        """Find objects as they are now, at any key; removed ones are left out.

        ``since`` is when the oldest of those in packs was written: older packs are not read. Raises UnreadableObject.
        """
        return self._again(lambda: self._found(set(keys), since))

    def profile(self, wanted: Wanted, *, is_tolerant: bool = False) -> dict[str, HourProfiles]:
        """Profile hours of the day, in one pass over the log.

        Raises UnreadableObject for an object that is damaged; with ``is_tolerant`` it is left out.
        """
        return self._again(lambda: _Pass(self, wanted, is_tolerant=is_tolerant).run())

    def listed(self) -> tuple[list[str], list[str]]:
        """List the day: the objects that are alone, and the packs, those with the newest members first."""
        keys = list(self.lake.keys(day_prefix(PREDICTIONS, self.day.model, self.day.day)))
        packs = sorted((key for key in keys if is_pack(key)), reverse=True)
        return [key for key in keys if not is_pack(key)], packs

    def present(self, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Read objects that were listed. Raises _ObjectMoved where one is gone."""
        for key, found in self.read(keys):
            if found is None:
                raise _ObjectMoved
            yield key, found.content

    def _found(self, keys: set[str], since: str) -> list[LogPart]:
        listed, packs = self.listed()
        alone = sorted(keys.intersection(listed))
        found = {key: part for key, content in self.present(alone) for part in log_parts(key, content)}
        newest: dict[str, tuple[str, str, int]] = {}
        if left := keys - found.keys():
            for pack, content in self.present([pack for pack in packs if newest_in(pack) >= since]):
                for place, part in enumerate(log_parts(pack, content)):
                    age = part.part.member.written_at, pack, place
                    if part.key in left and age > newest.get(part.key, ("", "", -1)):
                        newest[part.key], found[part.key] = age, part
        return list(found.values())

    def _again(self, read: Callable[[], T]) -> T:
        busy = Conflict(f"the log of {self.day.model} of {self.day.day} is packed again and again")
        return optimistic(read, otherwise=busy, max_attempts=_ROUNDS)

    def _tagged(self, key: str) -> TaggedObject | None:
        try:
            return self.lake.read_tagged(key)
        except NotFound:
            return None


class _Pass:
    """One pass over a day's log, repeated where an older part was taken for the newest."""

    def __init__(self, log: DayLog, wanted: Wanted, *, is_tolerant: bool) -> None:
        self._log = log
        self._wanted = wanted
        self._is_tolerant = is_tolerant
        self._old = set[tuple[str, int]]()
        self._building = dict[str, HourBuilder]()
        self._newest = dict[int, tuple[str, str, int, int]]()

    def run(self) -> dict[str, HourProfiles]:
        while True:
            self._building = {hour: HourBuilder(self._log.profiler) for hour in self._wanted}
            self._newest.clear()
            before = len(self._old)
            self._read()
            if len(self._old) == before:
                return {hour: building.done() for hour, building in self._building.items()}

    def _read(self) -> None:
        listed, packs = self._log.listed()
        names = {short_hash(key): key for key in listed}
        alone = [key for name, key in names.items() if self._is_wanted(name)]
        for key, content in self._log.present([*alone, *packs]):
            try:
                parts = log_parts(key, content)
                if not is_pack(key):
                    for part in parts:
                        self._take(part)
                    continue
                for place, part in enumerate(parts):
                    if part.name not in names and self._is_newest(key, place, part):
                        self._take(part)
            except UnreadableObject:
                if not self._is_tolerant:
                    raise

    def _is_newest(self, pack: str, place: int, part: LogPart) -> bool:
        if (pack, place) in self._old:
            return False
        age = part.part.member.written_at, pack, place
        *before, digest = self._newest.setdefault(part.name, (*age, part.digest))
        if tuple(before) == age:
            return True
        if digest != part.digest and age > tuple(before):
            self._old.add((before[1], before[2]))  # type: ignore[arg-type]
            self._newest[part.name] = (*age, part.digest)
        return False

    def _take(self, part: LogPart) -> None:
        hours = {
            hour: part.digest if names is None or (known := names[part.name]) is None else known
            for hour, names in self._wanted.items()
            if names is None or part.name in names
        }
        if not hours:
            return
        for hour, version, row in part.rows():
            if hour in hours:
                self._building[hour].add(part.name, hours[hour], version, row)
        if sum(building.waiting for building in self._building.values()) >= _MAX_ROWS:
            for building in self._building.values():
                building.flush()

    def _is_wanted(self, name: int) -> bool:
        return any(names is None or name in names for names in self._wanted.values())
