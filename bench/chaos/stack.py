"""The deployment that chaos is for: as any other, but its functions reach AWS through the faults."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.chaos.faults import Faults
from bench.chaos.proxy import running_proxy
from local.client import StackClient
from local.server import Server, free_port
from local.stack import SIMULATED_TIME, deployed_on

# What a queue is sent back for is seen again at once, not after the minutes that a function might still need.
_VISIBILITY_SECONDS = "4"
_STREAM_SECONDS = 600.0
_STILL_SECONDS = 4.0
# What is asked for when a stream's reader is set up.
_MAPPING = (
    "EventSourceArn",
    "StartingPosition",
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
    "ParallelizationFactor",
    "DestinationConfig",
    "FunctionResponseTypes",
    "FilterCriteria",
)


class ChaosStack:
    """A running stack, the faults before it, and what else can be done to it."""

    def __init__(self, server: Server, client: StackClient, faults: Faults, proxy: str) -> None:
        self.client, self.faults = client, faults
        self._server, self._proxy = server, proxy

    @property
    def api_url(self) -> str:
        """The API as apps reach it: through the faults."""
        return self.client.stack.api_url.replace(self.client.stack.endpoint_url, self._proxy).rstrip("/")

    def kill_worker(self, pick: Callable[[list[int]], int]) -> bool:
        """Kill one of the processes that run functions; report whether there was one."""
        pid = self._server.pid
        workers = _workers(pid) if pid is not None else []
        if not workers:
            return False
        os.kill(pick(workers), signal.SIGKILL)
        return True

    def restart(self) -> bool:
        """Stop the embedded AWS and start it again with what it had.

        It keeps how far the readers of a stream are, but not the stream, which AWS keeps for a day: so apps are held
        off until what is in it is delivered, and the readers begin again. False if it is not delivered in time.
        """
        self.faults.outages.add("app")
        if is_delivered := wait_until(self._archives_are_still, _STREAM_SECONDS):
            self._server.stop()
            self._server.start()
            self._begin_streams_anew()
        self.faults.outages.discard("app")
        return is_delivered

    def _archives_are_still(self) -> bool:
        """Wait until the queues are empty and a few seconds pass without an object that a stream's reader wrote."""
        before = self._archived()
        time.sleep(_STILL_SECONDS)
        return self.is_idle() and self._archived() == before

    def _archived(self) -> int:
        pages = self.client.aws("s3").get_paginator("list_objects_v2")
        bucket = self.client.stack.outputs["LakeBucket"]
        return sum(
            len(page.get("Contents", []))
            for prefix in ("predictions/", "labels/")
            for page in pages.paginate(Bucket=bucket, Prefix=prefix)
        )

    def _begin_streams_anew(self) -> None:
        functions: Any = self.client.aws("lambda")
        for mapping in (
            functions.get_paginator("list_event_source_mappings").paginate().build_full_result()["EventSourceMappings"]
        ):
            if ":dynamodb:" in mapping["EventSourceArn"]:
                functions.delete_event_source_mapping(UUID=mapping["UUID"])
                kept = {name: mapping[name] for name in _MAPPING if mapping.get(name) is not None}
                functions.create_event_source_mapping(**kept, FunctionName=mapping["FunctionArn"])

    def announce_again(self, rng: random.Random, most: int = 3) -> int:
        """Announce some feedback files to the queue again, in any order; count them."""
        s3, bucket = self.client.aws("s3"), self.client.stack.outputs["LakeBucket"]
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix="feedback/").get("Contents", [])]
        chosen = rng.sample(keys, min(most, len(keys)))
        for key in chosen:
            record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
            self._send_to_files({"Records": [{"eventSource": "aws:s3", **record}]})
        return len(chosen)

    def poison(self, content: bytes, rng: random.Random) -> None:
        """Lay an object among the feedback that is none, and send the queue of files a message that names none."""
        key = f"feedback/date=2026-03-01/poison-{rng.randrange(10**9):09d}"
        self.client.aws("s3").put_object(Bucket=self.client.stack.outputs["LakeBucket"], Key=key, Body=content)
        self._send_to_files({"Event": "s3:TestEvent"})

    def _send_to_files(self, body: dict[str, Any]) -> None:
        url = self.client.stack.outputs["FeedbackFilesQueueUrl"]
        self.client.aws("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(body))

    def redrive(self) -> None:
        """Send what was given up on by a queue back to where it came from."""
        queues = self.client.aws("sqs")
        for name, url in self.client.stack.outputs.items():
            source = name.replace("DeadLetterQueueUrl", "QueueUrl")
            if not name.endswith("DeadLetterQueueUrl") or source not in self.client.stack.outputs:
                continue
            while messages := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    queues.send_message(QueueUrl=self.client.stack.outputs[source], MessageBody=message["Body"])
                    queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def is_idle(self) -> bool:
        """Check that the queue of the traffic holds nothing."""
        return not self._counts("FeedbackFilesQueueUrl")["FeedbackFilesQueueUrl"]

    def _counts(self, suffix: str) -> dict[str, int]:
        queues = self.client.aws("sqs")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = {}
        for name, url in self.client.stack.outputs.items():
            if name.endswith(suffix):
                attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
                found[name] = sum(int(attributes[one]) for one in names)
        return found


@contextmanager
def chaos_stack(folder: Path, faults: Faults) -> Iterator[ChaosStack]:
    """Run a separate stack behind faults, for the length of a with block."""
    server = Server(free_port(), folder, persists=True)
    with deployed_on(server, SIMULATED_TIME) as stack, running_proxy(stack.endpoint_url, faults) as proxy:
        client = StackClient(stack)
        _send_functions_through(client, proxy)
        _hurry_queues(client)
        yield ChaosStack(server, client, faults, proxy)


def _send_functions_through(client: StackClient, proxy: str) -> None:
    functions: Any = client.aws("lambda")
    for name, function in client.stack.outputs.items():
        if not name.endswith("Function"):
            continue
        known = functions.get_function_configuration(FunctionName=function).get("Environment", {}).get("Variables", {})
        functions.update_function_configuration(
            FunctionName=function, Environment={"Variables": {**known, "AWS_ENDPOINT_URL": proxy}}
        )


def _hurry_queues(client: StackClient) -> None:
    queues = client.aws("sqs")
    for name, url in client.stack.outputs.items():
        if name.endswith("QueueUrl") and "DeadLetter" not in name:
            queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": _VISIBILITY_SECONDS})


def _workers(server: int) -> list[int]:
    """List the processes that run functions: forks of a child of the server, or its children."""
    children = _children(server)
    forks = [fork for child in children for fork in _children(child)]
    return forks or children


def _children(parent: int) -> list[int]:
    listed = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    return sorted(int(pid) for pid in listed.stdout.split())


def wait_until(done: Callable[[], bool], seconds: float, pause: float = 0.2) -> bool:
    """Wait for a condition; False if it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
