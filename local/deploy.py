"""Deployment of the template to the embedded AWS, or to any endpoint that speaks CloudFormation as LocalStack does."""

import json
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from hindsight.core.errors import HindsightError
from local.gateway import apply_gateway_responses
from local.package import Package, package
from local.server import REGION, is_healthy
from local.state import Stack
from local.template import load_template, localised

STACK_NAME = "hindsight"
KEY_OUTPUTS = {"app": "AppKeyId", "reviewer": "ReviewerKeyId", "operator": "OperatorKeyId"}
_PATIENCE_SECONDS = 300.0
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_IN_PROGRESS = "_IN_PROGRESS"


class DeploymentFailed(HindsightError):
    """CloudFormation refused the stack; the message says what failed first."""


def deploy(endpoint_url: str, parameters: dict[str, str] | None = None, stack_name: str = STACK_NAME) -> Stack:
    """Create or update the stack at an endpoint. Raises DeploymentFailed."""
    packages = _packages(endpoint_url)
    bucket = f"{stack_name}-deployment"
    s3 = client("s3", endpoint_url)
    s3.create_bucket(Bucket=bucket)
    for content in {found.key: found for found in packages.values()}.values():
        s3.put_object(Bucket=bucket, Key=content.key, Body=content.content)
    codes = {layer: {"Bucket": bucket, "Key": found.key} for layer, found in packages.items()}
    template = localised(load_template(), codes)
    s3.put_object(Bucket=bucket, Key="template.json", Body=json.dumps(template).encode())
    template_url = f"{endpoint_url}/{bucket}/template.json"
    # There is no X-Ray here, and a dashboard costs nothing.
    given = {
        "RequireTls": str(endpoint_url.startswith("https:")).lower(),
        "TracingSampling": "0",
        "WithDashboard": "true",
    }
    outputs = _apply(client("cloudformation", endpoint_url), stack_name, template_url, given | (parameters or {}))
    gateway = client("apigateway", endpoint_url)
    apply_gateway_responses(gateway, outputs["ApiId"], template["Resources"]["Api"])
    api_url = _api_url(endpoint_url, outputs["ApiId"])
    return Stack(
        endpoint_url=endpoint_url,
        region=REGION,
        stack_name=stack_name,
        api_url=api_url,
        keys=keys_of(gateway, outputs),
        outputs=outputs | {"ApiUrl": api_url, "ConsoleUrl": f"{api_url}/console"},
    )


def keys_of(gateway: Any, outputs: Mapping[str, str]) -> dict[str, str]:
    """Read the API keys that a stack's outputs name, by audience."""
    return {
        audience: gateway.get_api_key(apiKey=outputs[output], includeValue=True)["value"]
        for audience, output in KEY_OUTPUTS.items()
    }


def outputs_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """Read the outputs of a stack as CloudFormation describes it."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def parameters_of(stack: Stack) -> dict[str, str]:
    """Read the parameters that a stack is deployed with; none if it is not deployed."""
    return _parameters(client("cloudformation", stack.endpoint_url), stack.stack_name) or {}


def client(service: str, endpoint_url: str) -> Any:
    """Build a client of one endpoint, as its root user: both kinds of server take these credentials."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106  no secret  # nosec
        config=Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": 3}),
    )


def _packages(endpoint_url: str) -> dict[str, Package]:
    """Package the functions' code by the layer it goes with."""
    # The embedded server runs functions in its own interpreter, which has all dependencies.
    if is_healthy(endpoint_url):
        return dict.fromkeys(("DependenciesLayer", "ScienceLayer", "DataLayer"), package())
    return {
        "DependenciesLayer": package("dependencies"),
        "ScienceLayer": package("dependencies", "science"),
        "DataLayer": package("dependencies", "data"),
    }


def _api_url(endpoint_url: str, api_id: str) -> str:
    return f"{endpoint_url}/_aws/execute-api/{api_id}/v1"


def _apply(cloudformation: Any, name: str, template_url: str, parameters: dict[str, str]) -> dict[str, str]:
    known = _parameters(cloudformation, name)
    kept = [{"ParameterKey": key, "UsePreviousValue": True} for key in sorted((known or {}).keys() - parameters.keys())]
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())]
    request = {
        "StackName": name,
        "TemplateURL": template_url,
        "Capabilities": _CAPABILITIES,
        "Parameters": kept + given,
    }
    if known is None:
        cloudformation.create_stack(**request)
    else:
        try:
            cloudformation.update_stack(**request)
        except ClientError as error:
            if "No updates" not in error.response["Error"]["Message"]:
                raise
    return outputs_of(_finished(cloudformation, name))


def _parameters(cloudformation: Any, name: str) -> dict[str, str] | None:
    """Read a stack's parameters, None if there is no such stack."""
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError:
        return None
    return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack.get("Parameters", [])}


def _finished(cloudformation: Any, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        status = stack["StackStatus"]
        if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            return stack
        if not status.endswith(_IN_PROGRESS):
            raise DeploymentFailed(f"the stack is {status}: {_first_failure(cloudformation, name)}")
        time.sleep(0.2)
    raise DeploymentFailed(f"the stack was not there after {_PATIENCE_SECONDS:.0f} seconds")


def _first_failure(cloudformation: Any, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failures = [event for event in reversed(events) if event["ResourceStatus"].endswith("FAILED")]
    if not failures:
        return "no reason given"
    return f"{failures[0]['LogicalResourceId']}: {failures[0].get('ResourceStatusReason', 'no reason given')}"
