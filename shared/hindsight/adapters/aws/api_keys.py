"""The values of API Gateway's keys, from its control plane: ten reads a second for a whole account."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from hindsight.core.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient


class ApiGatewayKeys:
    """The key values of API Gateway; implements ``hindsight.runtime.http.keyring.KeyValues``."""

    def __init__(self, client: "APIGatewayClient") -> None:
        self._client = client

    def value(self, key_id: str) -> str | None:
        """Read a key's value, None if there is no such key. Raises Unavailable."""
        try:
            return self._client.get_api_key(apiKey=key_id, includeValue=True)["value"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NotFoundException":
                return None
            raise Unavailable("the keys could not be read; try again") from error
        except BotoCoreError as error:
            raise Unavailable("the keys could not be read; try again") from error
