"""``make hostile``: hostile requests and files, and the API against its own document; each must get its answer."""

import argparse
import http.client
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.table import Table

from bench.chaos.traffic import configuration
from bench.figures import publish
from bench.hostile.contract import conform
from bench.hostile.files import hostile_files
from bench.hostile.inputs import hostile_inputs
from bench.hostile.request import Hostile, Targets
from bench.hostile.texts import MARK
from local.client import StackClient
from local.stack import running_stack

OUT = Path("out/hostile/summary.json")
MODEL, OTHER, GUARDED = "known", "another", "guarded"
CASES, CONTRACT_CASES, SEED = 500, 2000, 1
_DRAIN_SECONDS = 240.0
# The characters of the lake's keys; a path that climbs has others.
_SAFE_KEY = re.compile(r"(?!.*\.\.)[A-Za-z0-9._=/@:+~-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def main(arguments: list[str] | None = None) -> int:
    """Send everything, print and write the figures; return 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench.hostile", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--contract-cases", type=int, default=CONTRACT_CASES)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args(arguments)
    figures = measure(asked.cases, asked.contract_cases, asked.seed)
    publish(figures, shown, OUT)
    return int(not is_as_it_must_be(figures))


def measure(cases: int, contract_cases: int, seed: int) -> dict[str, Any]:
    """Measure the figures, on a stack of their own."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        with running_stack(folder, {"ClientTimestamps": "bounded"}) as stack:
            client = StackClient(stack)
            given = give_inputs(client, hostile_inputs(targets(client), seed, cases))
            files = give_files(client)
            traces = find_traces(client, folder / "server.log")
            conformance = conform(client, MODEL, contract_cases, seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "cases": given["cases"] + files["files"],
        "status_5xx": given["status_5xx"] + sum(n for status, n in conformance.by_status.items() if status >= 500),
        "unexpected": [*given["unexpected"], *files["unexpected"], *traces],
        "schemathesis_cases": conformance.cases,
        "schemathesis_failures": conformance.failures,
        "seed": seed,
        "by_kind": given["by_kind"],
        "files": files["files"],
        "schemathesis_by_status": {str(status): count for status, count in sorted(conformance.by_status.items())},
    }


def is_as_it_must_be(figures: dict[str, Any]) -> bool:
    """Check that every request and file got its response, and none a 5xx."""
    return not (figures["status_5xx"] or figures["unexpected"] or figures["schemathesis_failures"])


def give_inputs(client: StackClient, inputs: list[Hostile]) -> dict[str, Any]:
    """Send hostile requests as they are, past any library that would mend them."""
    kinds: Counter[str] = Counter()
    unexpected, ours = [], 0
    for hostile in inputs:
        status, body = _send(client, hostile)
        kinds[hostile.kind] += 1
        ours += status >= 500
        is_explained = status in {401, 403, 404} or b'"error"' in body or b'"accepted":[]' in body.replace(b" ", b"")
        if status not in hostile.allowed or not is_explained or b"Traceback" in body:
            unexpected.append(
                f"{hostile.kind}: {hostile.what}: {status}, not {sorted(hostile.allowed)}: {body[:200]!r}"
            )
    return {"cases": len(inputs), "by_kind": dict(kinds), "status_5xx": ours, "unexpected": unexpected}


def targets(client: StackClient) -> Targets:
    """Configure what is to be attacked; of the model that takes feedback with tokens only there are two predictions."""
    for model in (MODEL, OTHER):
        client.call("PUT", f"models/{model}", key="operator", json=configuration(model))
    document = {**configuration(GUARDED), "feedback": {"token": {"required": True}}}
    client.call("PUT", f"models/{GUARDED}", key="operator", json=document)
    items: list[dict[str, Any]] = [
        {"prediction_id": name, "features": {}, "score": 0.5, "model_version": "v"} for name in ("p-1", "p-2")
    ]
    receipt = client.call("POST", f"models/{GUARDED}/predictions", key="app", json={"predictions": items})
    return Targets(MODEL, OTHER, GUARDED, receipt["tokens"])


def give_files(client: StackClient) -> dict[str, Any]:
    """Put hostile files into the lake, wait until all are processed, and check that no message is a dead letter."""
    files = hostile_files(MODEL)
    s3, bucket = client.aws("s3"), client.stack.outputs["LakeBucket"]
    for key, content in files.items():
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    deadline = time.monotonic() + _DRAIN_SECONDS
    while (left := _waiting(client, "QueueUrl")) and time.monotonic() < deadline:
        time.sleep(0.5)
    unexpected = [f"{count} messages still in {name}" for name, count in left.items()]
    unexpected += [f"{count} given up on: {name}" for name, count in _waiting(client, "DeadLetterQueueUrl").items()]
    aside = {row["code"] for row in _quarantined(client)}
    unexpected += [f"nothing in quarantine as {code}" for code in {"malformed", "invalid"} - aside]
    return {"files": len(files), "unexpected": unexpected}


def find_traces(client: StackClient, log: Path) -> list[str]:
    """Find hostile texts, or keys, where they must not be: in keys of the lake, or unescaped in a log."""
    found = []
    s3, bucket = client.aws("s3"), client.stack.outputs["LakeBucket"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys = [listed["Key"] for listed in page.get("Contents", [])]
        found += [f"a key of the lake: {key!r}" for key in keys if not _SAFE_KEY.fullmatch(key) or MARK in key]
    lines = [line.encode() for line in _log_lines(client)] + log.read_bytes().splitlines()
    for line in lines:
        if _CONTROL.search(line):
            found.append(f"a control character in a log: {line[:200]!r}")
        if any(key.encode() in line for key in client.stack.keys.values()):
            found.append("an API key in a log")
    return found


def shown(figures: dict[str, Any]) -> Table:
    """Format the figures as a table."""
    table = Table("figure", "seen", title="Hostile inputs")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(figures["by_kind"].items()))
    table.add_row("cases", f"{figures['cases']} ({kinds}, {figures['files']} files)")
    table.add_row("status_5xx", str(figures["status_5xx"]))
    table.add_row("unexpected", "\n".join(figures["unexpected"][:20]) or "none")
    table.add_row("schemathesis_cases", f"{figures['schemathesis_cases']} ({figures['schemathesis_by_status']})")
    table.add_row("schemathesis_failures", "\n".join(figures["schemathesis_failures"][:20]) or "none")
    return table


def _send(client: StackClient, hostile: Hostile) -> tuple[int, bytes]:
    target = urlsplit(client.stack.api_url)
    headers = dict(hostile.headers)
    if hostile.audience is not None:
        headers["x-api-key"] = client.stack.keys[hostile.audience]
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
    try:
        path = f"{target.path.rstrip('/')}{hostile.path}"
        connection.request(hostile.method, path, hostile.body or None, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _waiting(client: StackClient, suffix: str) -> dict[str, int]:
    found, names = {}, ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for name, url in client.stack.outputs.items():
        if name.endswith(suffix) and ("DeadLetter" in name) is suffix.startswith("DeadLetter"):
            counts = client.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            if count := sum(int(counts[one]) for one in names):
                found[name] = count
    return found


def _quarantined(client: StackClient) -> list[dict[str, Any]]:
    rows = []
    for key in client.lake.keys("quarantine/"):
        rows += list(client.lake.read_lines(key))
    return rows


def _log_lines(client: StackClient) -> list[str]:
    logs = client.aws("logs")
    lines = []
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
                lines += [event["message"].rstrip("\n") for event in events["events"]]
    return [part for line in lines for part in line.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
