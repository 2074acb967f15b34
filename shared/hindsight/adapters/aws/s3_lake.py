"""The lake on S3."""

import gzip
import io
import json
import shutil
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from botocore.exceptions import ClientError

from hindsight.core import compact_json
from hindsight.core.batches import chunks
from hindsight.core.errors import NotFound, Unavailable, UnreadableObject
from hindsight.lake.bounded_lines import BoundedLine, bounded_lines
from hindsight.lake.object_store import Entry, TaggedObject
from hindsight.lake.pack import GZIP_MAGIC, is_mark

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

# The condition does not hold; another write came first; what was to be replaced is gone.
_OVERTAKEN = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404"}
_PIECE = 1 << 20
_MAX_AT_ONCE = 1000  # objects that S3 removes in one call
_STAYS = {"PreconditionFailed", "ConditionalRequestConflict"}


class S3Lake:
    """Objects of one bucket; see ``hindsight.lake.object_store.Lake``."""

    def __init__(self, bucket: str, client: "S3Client") -> None:
        self._bucket = bucket
        self._client = client

    def write_lines(self, key: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Store rows as gzipped JSON lines; equal rows give equal bytes."""
        self.write_bytes(key, gzip_lines(rows), "application/x-ndjson")

    def read_lines(self, key: str) -> Iterator[dict[str, Any]]:
        """Read the rows of JSON lines, without holding the object. Raises NotFound, UnreadableObject."""
        with _named_if_damaged(key):
            for line in self.read_raw_lines(key):
                if not is_mark(line):
                    yield json.loads(line)

    def read_raw_lines(self, key: str) -> Iterator[bytes]:
        """Read the lines of an object, unzipped, without blank ones. Raises NotFound, UnreadableObject."""
        with _named_if_damaged(key):
            yield from (line for line in self._unzipped(key) if line.strip())

    def read_bounded_lines(self, key: str, *, max_line: int, max_total: int) -> Iterator[BoundedLine]:
        """Read every line of an object, only the beginning of a long one. Raises NotFound, UnreadableObject."""
        with _named_if_damaged(key):
            yield from bounded_lines(self._unzipped(key), max_line=max_line, max_total=max_total)

    def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
        """Store bytes."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)

    def read_bytes(self, key: str) -> bytes:
        """Read an object's bytes. Raises NotFound."""
        with self._open(key) as body:
            return body.read()

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Read a range of an object's bytes, fewer where it ends before. Raises NotFound."""
        try:
            with self._get(key, Range=f"bytes={start}-{start + length - 1}")["Body"] as body:
                return body.read()
        except ClientError as error:
            if error.response["Error"]["Code"] in {"InvalidRange", "416"}:
                return b""
            raise

    def download(self, key: str, path: Path) -> None:
        """Copy an object of any size into a file. Raises NotFound."""
        with self._open(key) as body, path.open("wb") as file:
            shutil.copyfileobj(body, file, _PIECE)

    def upload(self, path: Path, key: str, content_type: str) -> None:
        """Store a file of any size: a large one goes in parts and exists once all have arrived."""
        with path.open("rb") as file:
            self._client.upload_fileobj(file, self._bucket, key, ExtraArgs={"ContentType": content_type})

    def read_tagged(self, key: str) -> TaggedObject:
        """Read an object's bytes and their entity tag. Raises NotFound."""
        found = self._get(key)
        with found["Body"] as body:
            return TaggedObject(body.read(), found["ETag"])

    def replace_bytes(self, key: str, content: bytes, content_type: str, *, expected: str | None) -> bool:
        """Store bytes if the key still holds the object with the ``expected`` tag, or no object where it is None."""
        put = partial(self._client.put_object, Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)
        try:
            if expected is None:
                put(IfNoneMatch="*")
            else:
                put(IfMatch=expected)
        except ClientError as error:
            if error.response["Error"]["Code"] in _OVERTAKEN:
                return False
            raise
        return True

    def tags(self, prefix: str) -> Iterator[tuple[str, str]]:
        """List the keys that start with a prefix, sorted, with the entity tags of what they hold."""
        yield from ((found.key, found.tag) for found in self.entries(prefix))

    def entries(self, prefix: str, after: str = "") -> Iterator[Entry]:
        """List the objects whose keys start with a prefix and sort after a text, lazily."""
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, StartAfter=after):
            for found in page.get("Contents", []):
                yield Entry(found["Key"], found["ETag"], found["Size"], found["LastModified"])

    def link(self, key: str, lasts: timedelta) -> str:
        """Presign an address at which its holder may read an object for a while, as this function may."""
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=int(lasts.total_seconds())
        )

    def upload_link(self, key: str, lasts: timedelta) -> str:
        """Presign an address to which its holder may put an object for a while, as this function may."""
        return self._client.generate_presigned_url(
            "put_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=int(lasts.total_seconds())
        )

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is removed already."""
        self._client.delete_object(Bucket=self._bucket, Key=key)

    def remove(self, prefix: str, tags: Mapping[str, str]) -> None:
        """Remove objects under a prefix that still have their tags. Raises Unavailable if S3 cannot remove one.

        S3 holds each removal to its tag. Not every endpoint does, so a list just before narrows the race there.
        """
        left = [(key, tag) for key, tag in self.tags(prefix) if tags.get(key) == tag]
        delete_all(self._client, self._bucket, [{"Key": key, "ETag": tag} for key, tag in left], passed_over=_STAYS)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """List the keys that start with a prefix and sort after a text, sorted, lazily."""
        yield from (found.key for found in self.entries(prefix, after))

    def _unzipped(self, key: str) -> BinaryIO:
        body = io.BufferedReader(cast("io.RawIOBase", self._open(key)), buffer_size=1 << 20)
        if body.peek(2)[:2] == GZIP_MAGIC:
            return cast("BinaryIO", gzip.GzipFile(fileobj=body))
        return cast("BinaryIO", body)

    def _open(self, key: str) -> BinaryIO:
        return cast("BinaryIO", self._get(key)["Body"])

    def _get(self, key: str, **given: str) -> "GetObjectOutputTypeDef":
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key, **given)  # type: ignore[arg-type]
        except ClientError as error:
            # Unless s3:ListBucket covers every prefix, S3 hides a missing object behind 403; only a list shows it.
            code = error.response["Error"]["Code"]
            if code in {"404", "NoSuchKey"} or (code in {"403", "AccessDenied"} and self._is_known_missing(key)):
                raise NotFound(f"the object {key} does not exist") from error
            raise

    def _is_known_missing(self, key: str) -> bool:
        """Decide by a list whether an object is missing; False where listing is not allowed either."""
        try:
            return key not in self.keys(key)
        except ClientError:
            return False


@contextmanager
def _named_if_damaged(key: str) -> Iterator[None]:
    """Raise UnreadableObject, which names the object, where it cannot be unzipped or a line is no JSON."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise UnreadableObject(f"{key} is damaged: {type(error).__name__}: {error}") from error


def delete_all(client: "S3Client", bucket: str, objects: Iterable[Any], passed_over: Collection[str]) -> None:
    """Remove objects, or versions of them. Raises Unavailable for an error that is not passed over."""
    for batch in chunks(objects, _MAX_AT_ONCE):
        answer = client.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        failed = [found.get("Code", "") for found in answer.get("Errors", []) if found.get("Code") not in passed_over]
        if failed:
            raise Unavailable(f"{len(failed)} of {len(batch)} objects could not be removed: {failed[0]}")


def gzip_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Gzip rows as JSON lines without a time stamp, so that equal rows give equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as compressed:
        for row in rows:
            compressed.write(compact_json.dumps(row).encode() + b"\n")
    return buffer.getvalue()
