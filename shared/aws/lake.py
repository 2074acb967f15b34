"""The lake on S3."""

import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from botocore.exceptions import ClientError

from shared import compact_json
from shared.bounded_lines import BoundedLine, bounded_lines
from shared.errors import NotFound, UnreadableObject
from shared.lake import Tagged

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_GZIP_MAGIC = b"\x1f\x8b"
# The condition does not hold; another write came first; what was to be replaced is gone.
_OVERTAKEN = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404"}


class S3Lake:
    """Objects of one bucket; see ``shared.lake.Lake``."""

    def __init__(self, bucket: str, client: "S3Client") -> None:
        self._bucket = bucket
        self._client = client

    def write_lines(self, key: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Store rows as gzipped JSON lines; equal rows give equal bytes."""
        self.write_bytes(key, gzip_lines(rows), "application/x-ndjson")

    def read_lines(self, key: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of JSON lines, gzipped or plain, without holding the object. Raises NotFound."""
        for line in self.read_raw_lines(key):
            yield json.loads(line)

    def read_raw_lines(self, key: str) -> Iterator[bytes]:
        """Yield the lines of an object as bytes, unzipped, blank ones left out. Raises NotFound."""
        for line in self._unzipped(key):
            if line.strip():
                yield line

    def read_bounded_lines(self, key: str, *, max_line: int, max_total: int) -> Iterator[BoundedLine]:
        """Yield every line of an object, of one that is too long the beginning. Raises NotFound, UnreadableObject."""
        try:
            yield from bounded_lines(self._unzipped(key), max_line=max_line, max_total=max_total)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableObject(f"the file cannot be unzipped to its end: {error}") from error

    def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
        """Store bytes."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)

    def read_bytes(self, key: str) -> bytes:
        """Return an object's bytes. Raises NotFound."""
        with self._open(key) as body:
            return body.read()

    def read_tagged(self, key: str) -> Tagged:
        """Return an object's bytes and their entity tag. Raises NotFound."""
        found = self._get(key)
        with found["Body"] as body:
            return Tagged(body.read(), found["ETag"])

    def replace_bytes(self, key: str, content: bytes, content_type: str, *, expected: str | None) -> bool:
        """Store bytes if the key still holds what has the ``expected`` tag, nothing where it is None."""
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
        """Yield the keys that start with a prefix, sorted, with the entity tags of what they hold."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield found["Key"], found["ETag"]

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is removed already."""
        self._client.delete_object(Bucket=self._bucket, Key=key)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys that start with a prefix and sort after a text, sorted; listed only as far as read."""
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, StartAfter=after):
            for found in page.get("Contents", []):
                yield found["Key"]

    def _unzipped(self, key: str) -> BinaryIO:
        body = io.BufferedReader(cast("io.RawIOBase", self._open(key)), buffer_size=1 << 20)
        if body.peek(2)[:2] == _GZIP_MAGIC:
            return cast("BinaryIO", gzip.GzipFile(fileobj=body))
        return cast("BinaryIO", body)

    def _open(self, key: str) -> BinaryIO:
        return cast("BinaryIO", self._get(key)["Body"])

    def _get(self, key: str) -> "GetObjectOutputTypeDef":
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)
        except self._client.exceptions.NoSuchKey as error:
            raise NotFound(f"the object {key} does not exist") from error
        except ClientError as error:
            # Unless s3:ListBucket covers every prefix, S3 hides a missing object behind 403; only a list tells.
            code = error.response["Error"]["Code"]
            if code in {"404", "NoSuchKey"} or (code in {"403", "AccessDenied"} and self._is_known_missing(key)):
                raise NotFound(f"the object {key} does not exist") from error
            raise

    def _is_known_missing(self, key: str) -> bool:
        """Return whether a list shows that an object is not there; False where listing is not allowed either."""
        try:
            return key not in self.keys(key)
        except ClientError:
            return False


def gzip_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as gzipped JSON lines without a time stamp, so that equal rows give equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as compressed:
        for row in rows:
            compressed.write(compact_json.dumps(row).encode() + b"\n")
    return buffer.getvalue()
