"""Every version of every object of one bucket."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from hindsight.adapters.dynamodb.requests import chunks
from hindsight.core.errors import NotFound, Unavailable
from hindsight.privacy.versions import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MAX_AT_ONCE = 1000  # versions that S3 removes in one call
_GONE = {"NoSuchKey", "NoSuchVersion", "404"}


class S3ObjectVersions:
    """The object versions of a bucket; implements ``hindsight.privacy.versions.ObjectVersions``."""

    def __init__(self, bucket: str, client: "S3Client") -> None:
        self._bucket = bucket
        self._client = client

    def under(self, prefix: str, after: str = "") -> Iterator[ObjectVersion]:
        """List the versions of the keys that start with a prefix and sort after a text, by key, the newest first."""
        asked = {"Bucket": self._bucket, "Prefix": prefix, **({"KeyMarker": after} if after else {})}
        for page in self._client.get_paginator("list_object_versions").paginate(**asked):  # type: ignore[arg-type]
            for found in page.get("Versions", []):
                if found["Key"] > after:
                    yield ObjectVersion(
                        key=found["Key"],
                        version_id=found["VersionId"],
                        tag=found["ETag"],
                        is_current=found["IsLatest"],
                        written_at=found["LastModified"],
                        size=found["Size"],
                    )

    def read(self, version: ObjectVersion) -> bytes:
        """Read the bytes of a version. Raises NotFound."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=version.key, VersionId=version.version_id)
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise NotFound(f"this version of {version.key} is gone") from error
            raise
        with found["Body"] as body:
            return body.read()

    def purge(self, versions: Sequence[ObjectVersion]) -> None:
        """Remove versions for good. Raises Unavailable if S3 cannot remove one."""
        for batch in chunks(versions, _MAX_AT_ONCE):
            answer = self._client.delete_objects(
                Bucket=self._bucket,
                Delete={
                    "Objects": [{"Key": version.key, "VersionId": version.version_id} for version in batch],
                    "Quiet": True,
                },
            )
            failed = [found.get("Code", "") for found in answer.get("Errors", []) if found.get("Code") not in _GONE]
            if failed:
                raise Unavailable(f"{len(failed)} of {len(batch)} versions could not be removed: {failed[0]}")
