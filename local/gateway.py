"""The API's own error answers, where CloudFormation does not read OpenAPI extensions."""

from typing import Any


def apply_gateway_responses(gateway: Any, api_id: str, api: dict[str, Any]) -> None:
    """Add the error responses that the template's API declares to a deployed API."""
    properties = api["Properties"]
    for kind, response in properties["GatewayResponses"].items():
        headers = response.get("ResponseParameters", {}).get("Headers", {})
        request = {
            "restApiId": api_id,
            "responseType": kind,
            "responseParameters": {f"gatewayresponse.header.{name}": value for name, value in headers.items()},
            "responseTemplates": response["ResponseTemplates"],
        }
        if "StatusCode" in response:
            request["statusCode"] = response["StatusCode"]
        gateway.put_gateway_response(**request)
    # Error answers hold from the next deployment of the stage.
    gateway.create_deployment(restApiId=api_id, stageName=properties["StageName"])
