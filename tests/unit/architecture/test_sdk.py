"""The SDK that the functions carry: the services they call, and the parameters without which a guard would be gone."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session

ROOT = Path(__file__).parents[3]
# The tracer asks these two by itself: for its rules, and for who it is.
OF_THE_TRACER = {"xray", "sts"}


def kept() -> set[str]:
    (line,) = re.findall(r"^SDK_SERVICES := (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return set(line.split())


def called() -> Iterator[str]:
    """List the services for which the library or a function makes a client."""
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("client") and node.args:
                service = node.args[0]
                if isinstance(service, ast.Constant):
                    yield str(service.value)


def test_layer_keeps_the_services_that_functions_call_and_no_other() -> None:
    assert set(called()) | OF_THE_TRACER == kept()


def test_one_sdk_is_pinned_for_tests_and_layers_alike() -> None:
    lock = (ROOT / "requirements/hindsight.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^(boto3|botocore|s3transfer|urllib3)==", lock, re.MULTILINE)
    assert sorted(pinned) == ["boto3", "botocore", "s3transfer", "urllib3"]


@pytest.mark.parametrize(
    ("operation", "members"),
    [("PutObject", {"IfMatch", "IfNoneMatch"}), ("GetObject", {"IfMatch", "Range"})],
)
def test_sdk_knows_the_conditions_that_the_lake_relies_on(operation: str, members: set[str]) -> None:
    shape: Any = get_session().get_service_model("s3").operation_model(operation).input_shape

    assert members <= set(shape.members)


def test_sdk_knows_the_tag_that_a_removed_object_must_still_have() -> None:
    removed: Any = get_session().get_service_model("s3").shape_for("ObjectIdentifier")

    assert "ETag" in removed.members
