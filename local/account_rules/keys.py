"""Rules of the customer's key: what touches encrypted data may use it."""

from collections.abc import Iterator

from local.rights import role_of
from local.transformed import Deployment

# The services whose data the key encrypts for their callers.
ENCRYPTING = ("dynamodb", "firehose", "s3", "secretsmanager", "sns", "sqs")
_USES = ("kms:Decrypt", "kms:GenerateDataKey")


def roles_cannot_use_the_key(deployment: Deployment) -> Iterator[str]:
    """List the roles that may not use the customer's key through a service whose data they read or write."""
    key = deployment.parameters.get("KmsKeyArn", "")
    if not key:
        return
    of_functions = {function["Role"] for function in deployment.of("AWS::Lambda::Function").values()}
    suffix = deployment.place.pseudo_parameters["AWS::URLSuffix"]
    for name in deployment.of("AWS::IAM::Role"):
        role = role_of(deployment, name)
        called = {action.partition(":")[0] for one in role.statements for action in one.actions}
        # A function's own settings are encrypted with the key.
        through = (called & set(ENCRYPTING)) | (
            {"lambda"} if deployment.resources[name]["Arn"] in of_functions else set()
        )
        for service in sorted(through):
            context = {"kms:ViaService": f"{service}.{deployment.place.region}.{suffix}"}
            for action in _USES:
                if not role.may(action, key, context):
                    yield f"{name}: may not {action} through {service}, which holds what the key encrypts"
