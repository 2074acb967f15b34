"""A new stack around the stores that an earlier one kept: what CloudFormation needs to import them."""

import shlex
from typing import Any

from local.transformed import Deployment

# Each store's logical id, and the property by which CloudFormation knows a resource of its kind.
STORES = {"LakeBucket": "BucketName", "PredictionsTable": "TableName", "ModelsTable": "TableName"}
_KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def import_template(deployment: Deployment, lake: str) -> dict[str, Any]:
    """Reduce the template to its stores, as they are to be imported: everything else comes by the next deployment.

    CloudFormation changes nothing of what it imports, so that a table must be what is declared here already. The lake's
    notifications name queues that do not exist yet, so that it comes with its name alone.
    """
    stores = {name: deployment.resources[name] for name in STORES}
    properties = {name: store["Properties"] for name, store in stores.items()} | {"LakeBucket": {"BucketName": lake}}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The stores of an earlier stack of Hindsight, to be deployed over",
        "Resources": {
            name: {"Type": store["Type"], **_KEPT, "Properties": properties[name]} for name, store in stores.items()
        },
    }


def resources_to_import(deployment: Deployment, names: dict[str, str]) -> list[dict[str, Any]]:
    """Name the stores to import, as ``create-change-set --resources-to-import`` takes them."""
    return [
        {
            "ResourceType": deployment.resources[store]["Type"],
            "LogicalResourceId": store,
            "ResourceIdentifier": {key: names[store]},
        }
        for store, key in STORES.items()
    ]


def restoring_commands(deployment: Deployment, names: dict[str, str]) -> list[str]:
    """List the commands that give tables restored from a backup what a backup does not keep.

    That is the stream, the time to live and point-in-time recovery ("Restoring a DynamoDB table from a backup", the
    DynamoDB developer guide).
    """
    return [
        command for store in ("PredictionsTable", "ModelsTable") for command in _restoring(deployment, store, names)
    ]


def _restoring(deployment: Deployment, store: str, names: dict[str, str]) -> list[str]:
    properties, table = deployment.resources[store]["Properties"], shlex.quote(names[store])
    attribute = properties["TimeToLiveSpecification"]["AttributeName"]
    streaming = []
    if "StreamSpecification" in properties:
        view = properties["StreamSpecification"]["StreamViewType"]
        # While a table is updated it takes no other change.
        streaming = [
            f"aws dynamodb update-table --table-name {table} \\\n"
            f"    --stream-specification StreamEnabled=true,StreamViewType={view}",
            f"aws dynamodb wait table-exists --table-name {table}",
        ]
    return [
        *streaming,
        f"aws dynamodb update-time-to-live --table-name {table} \\\n"
        f"    --time-to-live-specification Enabled=true,AttributeName={attribute}",
        f"aws dynamodb update-continuous-backups --table-name {table} \\\n"
        f"    --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
    ]
