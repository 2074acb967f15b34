"""Recorded requests of functions are allowed by the transformed template, without a stack.

``tests/stack/allowed_requests.jsonl`` holds what the stack's tests asked for (``make permissions``).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.rights import role_of
from local.transformed import Deployment, Place, deployment

RECORD = Path(__file__).parents[1] / "stack/allowed_requests.jsonl"
REQUESTS = [json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines()]
# The embedded AWS's account and region.
PLACE = Place(region="us-east-1", account="000000000000")
MADE_UP = re.compile(r"hindsight-(?P<name>\w+)-[0-9A-F]{12,}(?P<random>(?<=[0-9A-F])-[0-9a-f]{6}$)?")
LAKE = re.compile(r"^arn:aws:s3:::[^/]+-lake-[^/]+")
API_KEY = re.compile(r"/apikeys/.+$")


def requests_of(deployed: Deployment) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Word the recorded requests with the names of a deployment."""

    def name(found: re.Match[str]) -> str:
        here = deployed.resources[found["name"]]["Name"]
        return f"{here}-AbCdEf" if found["random"] else str(here)

    for one in REQUESTS:
        resource = MADE_UP.sub(name, LAKE.sub(deployed.resources["LakeBucket"]["Arn"], one["resource"]))
        resource = API_KEY.sub(f"/apikeys/{deployed.resources['AppKey']['Name']}", resource)
        context = {key: value[0] if isinstance(value, list) else value for key, value in one["context"].items()}
        yield one["role"], one["action"], resource, context


@pytest.mark.parametrize("parameters", [{}, {"LakeBucketName": "kept-of-old", "SnapshotEngine": "athena"}])
def test_every_request_that_functions_were_seen_to_make_is_allowed(parameters: dict[str, Any]) -> None:
    deployed = deployment(parameters, PLACE)
    refused = [
        f"{role} may not {action} on {resource} ({context})"
        for role, action, resource, context in requests_of(deployed)
        if not role_of(deployed, role).may(action, resource, context)
    ]
    assert len(REQUESTS) > 100
    assert not refused, "\n".join([*refused, "(make permissions records anew what the code asks for)"])
