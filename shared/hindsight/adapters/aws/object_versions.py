"""Every version of every object of one bucket."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from hindsight.adapters.aws.s3_lake import delete_all
from hindsight.core.errors import NotFound
from hindsight.privacy.stores import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GONE = {"NoSuchKey", "NoSuchVersion", "404"}


class S3ObjectVersions:
    """The object versions of a bucket; implements ``hindsight.privacy.stores.ObjectVersions``."""

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
        objects = [{"Key": version.key, "VersionId": version.version_id} for version in versions]
        delete_all(self._client, self._bucket, objects, passed_over=_GONE)

    def purge_all(self, prefix: str) -> Iterator[int]:
        """Remove every object under a prefix for good, marks of deleted ones too; yield their number, page by page."""
        pages = self._client.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in found]
            delete_all(self._client, self._bucket, objects, passed_over=_GONE)
            yield len(objects)
