"""The composition of erasures; only the function that erases pays for importing it."""

import time
from functools import cache

from hindsight.adapters.aws.object_versions import S3ObjectVersions
from hindsight.adapters.predictions_table.subject_table import DynamoSubjectCollections
from hindsight.bootstrap import clients, stores
from hindsight.bootstrap.settings import Capture, Deployment
from hindsight.privacy.erasure import Eraser


@cache
def eraser() -> Eraser:
    """Build the worker of erasures."""
    return Eraser(
        lake=stores.lake(),
        versions=S3ObjectVersions(clients.settings(Deployment).lake_bucket, clients.client("s3")),
        collections=DynamoSubjectCollections(
            clients.settings(Capture).predictions_table, clients.dynamodb(), time.sleep
        ),
        jobs=stores.job_store(),
        registry=stores.registry(),
        members=stores.member_store(),
        configurations=stores.configurations(),
        announcements=stores.announcements(),
        clock=clients.utc_now,
    )
