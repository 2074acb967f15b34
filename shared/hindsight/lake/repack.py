"""Rewriting of the objects of one day as packs."""

import gzip
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from hindsight.core.batches import batches
from hindsight.core.errors import UnreadableObject
from hindsight.core.times import moment_name
from hindsight.lake.object_store import Entry, Lake, read_if_present
from hindsight.lake.pack import Part, pack_name, parts_of

_READERS = 8
_MAX_AHEAD = 64
_AHEAD_BYTES = 32 << 20
_LEVEL = 6
_TYPE = "application/x-ndjson"


@dataclass(slots=True)
class _OpenPack:
    """A pack that is being written, and the objects that are in the lake with it, by key and tag."""

    number: int
    buffer: io.BytesIO = field(default_factory=io.BytesIO)
    size: int = 0
    newest: str = ""
    sources: dict[str, str] = field(default_factory=dict)
    file: gzip.GzipFile = field(init=False)

    def __post_init__(self) -> None:
        self.file = gzip.GzipFile(fileobj=self.buffer, mode="wb", compresslevel=_LEVEL, mtime=0)

    def add(self, part: Part) -> None:
        content = b"".join((part.member.mark(), b"\n", part.content, b"\n"))
        self.file.write(content)
        self.size += len(content)
        self.newest = max(self.newest, part.member.written_at)


@dataclass(slots=True)
class Repacking:
    """The rewriting of objects under one day's prefix; ``pack_bytes`` is the unzipped size of a full pack."""

    lake: Lake
    prefix: str
    pack_bytes: int
    removed: int = 0
    written: int = 0
    unreadable: list[str] = field(default_factory=list)
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)

    def run(self, chosen: Sequence[Entry], has_time: Callable[[], bool]) -> bool:
        """Pack objects in their order while there is time; False if time ran out.

        Holds one pack and a few objects ahead. Raises UnreadableObject where a pack does not read back.
        """
        pack = _OpenPack(0)
        for entry, content in self._read(chosen):
            try:
                parts = list(parts_of(entry.key, content, moment_name(entry.written_at)))
            except UnreadableObject:
                self.unreadable.append(entry.key)
                continue
            for part in parts:
                if self._is_news(part):
                    pack.add(part)
                if pack.size >= self.pack_bytes:
                    # The rest of this object goes to the next pack; the object is removed once that pack is written.
                    self._store(pack, full=True)
                    pack = _OpenPack(pack.number + 1)
            pack.sources[entry.key] = entry.tag
            if not has_time():
                self._store(pack, full=False)
                return False
        self._store(pack, full=False)
        return True

    def _is_news(self, part: Part) -> bool:
        """Recognise a part that is neither empty (after an erasure) nor a repetition (after a crash)."""
        digests = part.member.digest, hashlib.sha256(part.content).hexdigest()
        if not part.lines or self._known.get(part.member.key) == digests:
            return False
        self._known[part.member.key] = digests
        return True

    def _store(self, pack: _OpenPack, *, full: bool) -> None:
        if pack.size:
            pack.file.close()
            content = pack.buffer.getvalue()
            digest = hashlib.sha256(content).hexdigest()
            key = self.prefix + pack_name(pack.newest, pack.number, digest, full=full)
            # The same rows make a pack of the same name: removing the source would remove the pack.
            is_same = pack.sources.pop(key, None) is not None
            if not is_same:
                self.lake.write_bytes(key, content, _TYPE)
            if hashlib.sha256(self.lake.read_bytes(key)).hexdigest() != digest:
                raise UnreadableObject(f"{key} does not read back as it was written")
            self.written += 1
        if pack.sources:
            self.lake.remove(self.prefix, pack.sources)
            self.removed += len(pack.sources)

    def _read(self, chosen: Sequence[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """Read objects, some ahead; one that is gone is in another's pack."""
        with ThreadPoolExecutor(_READERS) as readers:
            for batch in batches(chosen, lambda entry: entry.size, room=_AHEAD_BYTES, most=_MAX_AHEAD):
                contents = readers.map(lambda entry: read_if_present(self.lake, entry.key), batch)
                for entry, content in zip(batch, contents, strict=True):
                    if content is not None:
                        yield entry, content
