"""Rules of missing objects: readers of the lake can distinguish one that is gone from one that may not be read.

S3 says 403 of a missing object to callers that may not list it.
"""

from collections.abc import Iterator

from local.rights import role_of
from local.transformed import Deployment

LAKE = "LakeBucket"
_READ = "s3:GetObject"
_LIST = "s3:ListBucket"
_PRESENT = "an earlier step of the run has written it; gone or forbidden, the run fails"
# Readers that need not distinguish missing from forbidden, with reasons.
NEED_NO_LIST = {
    ("MonitorFunctionRole", "checks/*"): "only signs links, for people",
    ("GetModelFunctionRole", "models/*/card.html"): "only signs links, for people",
    ("GetModelFunctionRole", "models/*/model.skops"): "only signs links, for people",
    ("RequestVersionFunctionRole", "datasets/*/holdout-unlabelled.parquet"): "only signs links, for a trainer",
    ("RequestVersionFunctionRole", "datasets/*/train.parquet"): "only signs links, for a trainer",
    ("RetrainingStateMachineRole", "queries/*"): "Athena writes its answers by it",
    ("TrainFunctionRole", "datasets/*"): _PRESENT,
    ("TrainFunctionRole", "models/*"): "read only where writing found it there",
    ("TrainingJobRole", "datasets/*"): _PRESENT,
    ("TrainingJobRole", "models/*"): "read only where writing found it there",
    ("ValidateFunctionRole", "datasets/*"): _PRESENT,
}


def readers_without_list_right(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Find the roles that may read under a prefix of the lake and may not list it."""
    lake = deployment.resources[LAKE]["Arn"]
    for name in deployment.of("AWS::IAM::Role"):
        role = role_of(deployment, name)
        read = {
            resource.removeprefix(f"{lake}/")
            for one in role.statements
            if one.effect == "Allow" and _READ in one.actions
            for resource in one.resources
            if resource.startswith(f"{lake}/")
        }
        for prefix in sorted(read):
            if not role.may(_LIST, lake, {"s3:prefix": prefix.replace("*", "some")}):
                yield name, prefix


def gone_looks_forbidden(deployment: Deployment) -> Iterator[str]:
    """List the readers of the lake that need to recognise a missing object and may not list the bucket."""
    for role, prefix in readers_without_list_right(deployment):
        if (role, prefix) not in NEED_NO_LIST:
            yield f"{role}: reads {prefix} and may not list it, so that a missing object looks forbidden"
