"""The composition of erasures; only the function that erases pays for importing it."""

from functools import cache

from hindsight.adapters.aws.object_versions import S3ObjectVersions
from hindsight.adapters.jobs_table.model_items_eraser import DynamoModelItemsEraser
from hindsight.adapters.predictions_table.subject_keys import DynamoSubjectKeys
from hindsight.adapters.predictions_table.subject_table import DynamoSubjectCollections
from hindsight.bootstrap import clients, stores
from hindsight.bootstrap.settings import Capture, Deployment, ErasurePasses
from hindsight.privacy.entity_erasure import EntityErasure
from hindsight.privacy.erasure import Eraser
from hindsight.privacy.model_erasure import ModelErasure
from hindsight.privacy.passes import ErasurePass


@cache
def eraser() -> Eraser:
    """Build the worker of erasures."""
    return Eraser(
        jobs=stores.job_store(),
        configurations=stores.configurations(),
        entities=entity_erasure(),
        models=model_erasure(),
        settling=clients.settings(ErasurePasses).delay,
        clock=clients.utc_now,
    )


def entity_erasure() -> EntityErasure:
    """Build the steps of the erasure of an entity."""
    table = clients.settings(Capture).predictions_table
    return EntityErasure(
        lake=stores.lake(),
        versions=_versions(),
        collections=DynamoSubjectCollections(table, clients.dynamodb()),
        keys=DynamoSubjectKeys(table, clients.dynamodb()),
        registry=stores.registry(),
        members=stores.member_store(),
        configurations=stores.configurations(),
        announcements=stores.announcements(),
    )


def model_erasure() -> ModelErasure:
    """Build the steps of the erasure of a model."""
    tables = {
        "model items": clients.settings(Deployment).models_table,
        "table": clients.settings(Capture).predictions_table,
    }
    return ModelErasure(
        redactions=ErasurePass(stores.lake(), _versions()),
        tables={name: DynamoModelItemsEraser(table, clients.dynamodb()) for name, table in tables.items()},
        configurations=stores.configurations(),
    )


def _versions() -> S3ObjectVersions:
    return S3ObjectVersions(clients.settings(Deployment).lake_bucket, clients.s3())
