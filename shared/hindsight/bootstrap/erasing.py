"""What erases, put together; only the function that does pays for importing it."""

import time
from functools import cache

from hindsight.adapters.aws.object_versions import S3ObjectVersions
from hindsight.adapters.predictions_table.subject_table import DynamoSubjectCollections
from hindsight.bootstrap import clients, stores
from hindsight.privacy.erasure import Eraser


@cache
def eraser() -> Eraser:
    """Return what works off erasures."""
    settings = clients.settings()
    return Eraser(
        lake=stores.lake(),
        versions=S3ObjectVersions(settings.lake_bucket, clients.client("s3")),
        collections=DynamoSubjectCollections(settings.predictions_table, clients.dynamodb(), time.sleep),
        jobs=stores.job_store(),
        registry=stores.registry(),
        members=stores.member_store(),
        configurations=stores.configurations(),
        announcements=stores.announcements(),
    )
