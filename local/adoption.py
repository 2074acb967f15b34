"""A new stack around the stores that an earlier one kept: what CloudFormation needs to import them."""

from typing import Any

from local.transformed import Deployment

# Each store's logical id, and the property by which CloudFormation knows a resource of its kind.
STORES = {"LakeBucket": "BucketName", "PredictionsTable": "TableName", "ModelsTable": "TableName"}
_KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def import_template(deployment: Deployment, lake: str) -> dict[str, Any]:
    """Reduce the template to its stores, as they are to be imported: everything else comes by the next deployment.

    The lake's notifications name queues that do not exist yet, so that it comes with its name alone.
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
