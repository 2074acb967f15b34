"""A step of the retraining state machine that does what its run's script says.

It is a runtime of its own: the embedded server reports the type of an error, and a dead process, only of those.
"""

import json
import os
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

API = "/2018-06-01/runtime/invocation"


class Failure(Exception):
    """The step ends in an error of the type and with the message that the script gives."""


def main() -> None:
    """Answer one invocation after the other."""
    while True:
        connection = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        connection.request("GET", f"{API}/next")
        response = connection.getresponse()
        event, request_id = json.loads(response.read()), response.headers["Lambda-Runtime-Aws-Request-Id"]
        try:
            path, answer = f"{API}/{request_id}/response", play(event)
        except Failure as failure:
            kind, message = failure.args
            path, answer = f"{API}/{request_id}/error", {"errorType": kind, "errorMessage": message}
        connection.request("POST", path, body=json.dumps(answer))
        connection.getresponse().read()
        connection.close()


def play(event: dict[str, Any]) -> Any:
    """Play the scene of this step: the next of a list at every call, the last again and again."""
    step = os.environ["STEP"]
    scenes = event["script"][step]
    name = f"{event['decision_id']}-{step}-{event.get('candidate', '')}"
    scene = scenes[min(calls_before(name), len(scenes) - 1)]
    if "raise" in scene:
        raise Failure(scene["raise"], scene.get("message", "as the script says"))
    if "exit" in scene:
        os._exit(scene["exit"])
    time.sleep(scene.get("sleep", 0))
    if "answer" in scene:
        client: Any = boto3.client("stepfunctions", config=Config(parameter_validation=False))
        client.send_task_success(taskToken=event["task_token"], output=scene["answer"])
    return scene.get("return", {})


def calls_before(name: str) -> int:
    """Count the calls in a file: a call may kill its process."""
    with (Path(tempfile.gettempdir()) / f"{name}.calls").open("a+b") as file:
        before = file.tell()
        file.write(b".")
    return before


if __name__ == "__main__":
    main()
