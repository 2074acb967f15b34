"""Asynchronous invocations of a function."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from hindsight.core import compact_json
from hindsight.core.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaBackground:
    """Asynchronous invocations of one function; see ``hindsight.core.fan_out.Invocations``."""

    def __init__(self, function_name: str, client: "LambdaClient") -> None:
        self._function_name = function_name
        self._client = client

    def start(self, payload: Mapping[str, Any]) -> None:
        """Hand an event to Lambda, which tries it three times and sends a failure to the function's destination.

        Raises Unavailable where Lambda does not take it.
        """
        try:
            self._client.invoke(
                FunctionName=self._function_name, InvocationType="Event", Payload=compact_json.dumps(payload).encode()
            )
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(f"{self._function_name} could not be invoked: {error}") from error
