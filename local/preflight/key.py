"""The customer's key, where there is one: that it can encrypt, and that the services may use it."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from local.preflight.check import Account, Check, Verdict
from local.transformed import Deployment

SERVICES = (
    "s3.amazonaws.com",
    "sns.amazonaws.com",
    "events.amazonaws.com",
    "cloudwatch.amazonaws.com",
    "firehose.amazonaws.com",
    "logs.{region}.amazonaws.com",
)


def check_key(account: Account, deployment: Deployment) -> Iterator[Check]:
    """Check a customer's key: its state, its region, and that its policy names the services that must use it."""
    arn = deployment.parameters.get("KmsKeyArn", "")
    if not arn:
        return
    region = deployment.place.region
    if arn.split(":")[3] != region:
        yield Check("KMS key", Verdict.FAILURE, f"{arn} is not in {region}", "give a key of the stack's region")
        return
    keys = account.client("kms")
    try:
        key = keys.describe_key(KeyId=arn)["KeyMetadata"]
        policy = json.loads(keys.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        yield Check("KMS key", Verdict.FAILURE, f"{arn} does not exist", "give the ARN of a key, not of an alias")
        return
    if key["KeyState"] != "Enabled" or key.get("KeyUsage") != "ENCRYPT_DECRYPT" or _is_asymmetric(key):
        found = f"{arn} is {key['KeyState']}, for {key.get('KeyUsage')}"
        yield Check("KMS key", Verdict.FAILURE, found, "give an enabled, symmetric key for encryption")
        return
    named = set(_services(policy))
    missing = [name for service in SERVICES if (name := service.format(region=region)) not in named]
    if missing:
        mend = "add them to the key's policy as docs/privacy.md shows, or the deployment fails at the log groups"
        yield Check("KMS key", Verdict.FAILURE, f"its policy does not name {', '.join(missing)}", mend)
    else:
        yield Check("KMS key", Verdict.OK, "enabled, and its policy names the services that use it")


def _is_asymmetric(key: dict[str, Any]) -> bool:
    return str(key.get("KeySpec", "SYMMETRIC_DEFAULT")) != "SYMMETRIC_DEFAULT"


def _services(policy: dict[str, Any]) -> Iterator[str]:
    for statement in policy["Statement"]:
        principal = statement.get("Principal", {})
        if statement["Effect"] == "Allow" and isinstance(principal, dict):
            service = principal.get("Service", [])
            yield from [service] if isinstance(service, str) else service
