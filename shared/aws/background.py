"""Work that another function does while its caller is answered."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared import compact_json

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaBackground:
    """Invokes one function asynchronously; see ``shared.datasets.verification_requests.Background``."""

    def __init__(self, function_name: str, client: "LambdaClient") -> None:
        self._function_name = function_name
        self._client = client

    def start(self, payload: Mapping[str, Any]) -> None:
        """Return once Lambda has the event: it tries it thrice, and a failure goes to the function's destination."""
        self._client.invoke(
            FunctionName=self._function_name, InvocationType="Event", Payload=compact_json.dumps(payload).encode()
        )
