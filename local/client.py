"""A deployed stack from the outside: its HTTP API, its scheduled functions, its lake."""

import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config

from hindsight.adapters.aws.s3_lake import S3Lake
from hindsight.core.errors import Fault, HindsightError
from hindsight.core.times import format_time
from local.state import Stack

_ATTEMPTS = 6
_TIMEOUT_SECONDS = 120
_MAX_PAUSE_SECONDS = 6.4
_PIECE_BYTES = 1 << 20


class CallFailed(HindsightError):
    """A call to the stack was refused, or kept failing."""

    code = "call_failed"


@dataclass(slots=True)
class StackClient:
    """A client of one stack, as an app, as an operator, and as the stack's own scheduler."""

    stack: Stack
    # How often a call is made that is throttled, or fails on the other side.
    attempts: int = _ATTEMPTS
    _http: requests.Session = field(default_factory=requests.Session)
    _clients: dict[str, Any] = field(default_factory=dict)

    def call(self, method: str, path: str, *, key: str, **request: Any) -> Any:
        """Call the API and read its JSON answer; throttling, our own errors and lost connections are tried again.

        Raises CallFailed for a refusal, or without an answer.
        """
        headers = {"x-api-key": self.stack.keys[key], **request.pop("headers", {})}
        url = f"{self.stack.api_url.rstrip('/')}/{path}"
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(min(_MAX_PAUSE_SECONDS, 0.1 * 2**attempt))
            try:
                response = self._http.request(method, url, headers=headers, timeout=_TIMEOUT_SECONDS, **request)
            except requests.RequestException as error:
                failure = CallFailed(f"{method} {url} has no answer: {type(error).__name__}")
                continue
            if response.status_code < 400:
                return response.json()
            failure = _failure(f"{method} /{path}", response)
            if response.status_code != 429 and response.status_code < 500:
                break
        raise failure

    def download(self, url: str, path: Path) -> None:
        """Copy what a signed link leads to into a file. Raises CallFailed."""
        with self._http.get(url, timeout=_TIMEOUT_SECONDS, stream=True) as response:
            if response.status_code != 200:
                raise CallFailed(f"the link answered {response.status_code}: {response.text[:2000]}")
            with path.open("wb") as file:
                for piece in response.iter_content(_PIECE_BYTES):
                    file.write(piece)

    def upload(self, url: str, content: bytes) -> None:
        """Put bytes to where a signed link leads. Raises CallFailed."""
        response = self._http.put(url, data=content, timeout=_TIMEOUT_SECONDS)
        if response.status_code != 200:
            raise CallFailed(f"the link answered {response.status_code}: {response.text[:2000]}")

    def run_schedule(self, function: str, now: datetime, model: str) -> Any:
        """Invoke a scheduled function for a model as its schedule makes it at ``now``; return its answer.

        Raises CallFailed.
        """
        event = {
            "source": "aws.scheduler",
            "detail-type": "Scheduled Event",
            "time": format_time(now),
            "detail": {"model": model},
        }
        answer = self.aws("lambda").invoke(
            FunctionName=self.stack.outputs[f"{function}Function"], Payload=json.dumps(event).encode()
        )
        payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise CallFailed(f"{function} failed: {payload.decode()[:2000]}")
        return json.loads(payload or b"null")

    def run_status(self, decision_id: str) -> str | None:
        """Read the state of a retraining run: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED; None if unknown."""
        machine = self.stack.outputs["RetrainingStateMachine"]
        runs = self.aws("stepfunctions")
        try:
            arn = machine.replace(":stateMachine:", ":execution:") + f":{decision_id}"
            status: str = runs.describe_execution(executionArn=arn)["status"]
        except runs.exceptions.ExecutionDoesNotExist:
            return None
        return status

    @property
    def lake(self) -> S3Lake:
        """The stack's lake."""
        return S3Lake(self.stack.outputs["LakeBucket"], self.aws("s3"))

    def aws(self, service: str) -> Any:
        """Build a client of the stack's AWS."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=self.stack.endpoint_url,
                region_name=self.stack.region,
                aws_access_key_id="test",
                aws_secret_access_key="test",  # noqa: S106  the embedded AWS's root  # nosec
                config=Config(retries={"mode": "standard", "total_max_attempts": self.attempts}),
            )
        return self._clients[service]


def _failure(call: str, response: requests.Response) -> CallFailed:
    """Build the error of an answer, by its own message and faults; by its text where it has none."""
    try:
        error = response.json()["error"]
        faults = tuple(Fault(one["path"], one["message"]) for one in error["details"])
        return CallFailed(f"{call} answered {response.status_code} {error['code']}: {error['message']}", faults)
    except (ValueError, LookupError, TypeError):
        return CallFailed(f"{call} answered {response.status_code}: {response.text[:2000]}")
