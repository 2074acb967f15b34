"""The functions' settings: every variable at fault is named, and the template gives no other variables."""

import re
from datetime import timedelta

import msgspec
import pytest

from hindsight.bootstrap.settings import (
    Capture,
    Deployment,
    ErasurePasses,
    InvalidSettings,
    RelabellingWorkers,
    Settings,
    VersionRetention,
    read_settings,
)
from hindsight.validation.timestamps import ClientTimestamps
from local.template import load_template, resources_of

DEPLOYMENT = {"MODELS_TABLE": "models", "LAKE_BUCKET": "lake"}


def variables(kind: type[Settings]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def test_variables_become_typed_fields() -> None:
    found = read_settings(VersionRetention, {"MODEL_VERSIONS_TO_KEEP": "3", "MODEL_VERSION_RETENTION_DAYS": "400"})
    assert (found.keep.newest, found.keep.age) == (3, timedelta(days=400))
    assert read_settings(ErasurePasses, {"ERASURE_SECOND_PASS_MINUTES": "0"}).delay == timedelta(0)
    trusted = read_settings(Deployment, {**DEPLOYMENT, "CLIENT_TIMESTAMPS": "trusted"})
    assert trusted.client_timestamps is ClientTimestamps.TRUSTED


def test_absent_variable_with_a_default_has_it() -> None:
    assert read_settings(Deployment, DEPLOYMENT).code_version == "unversioned"


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(InvalidSettings, match=r"^PREDICTIONS_TABLE, FEEDBACK_STREAM are not set$"):
        read_settings(Capture, {"PREDICTIONS_TABLE": ""})


@pytest.mark.parametrize("value", ["many", "0", "2.5", "-1"])
def test_invalid_number_names_its_variable(value: str) -> None:
    with pytest.raises(InvalidSettings, match=re.escape("$.CONSUMER_CONCURRENCY")):
        read_settings(RelabellingWorkers, {"CONSUMER_CONCURRENCY": value})


def test_invalid_choice_names_its_variable() -> None:
    with pytest.raises(InvalidSettings, match=re.escape("$.CLIENT_TIMESTAMPS")):
        read_settings(Deployment, {**DEPLOYMENT, "CLIENT_TIMESTAMPS": "sometimes"})


def test_the_template_sets_the_variables_that_are_read_and_no_others() -> None:
    template = load_template()
    functions = resources_of(template, "AWS::Serverless::Function").values()
    given = set(template["Globals"]["Function"]["Environment"]["Variables"])
    for function in functions:
        given |= set(function["Properties"].get("Environment", {}).get("Variables", {}))
    read = set[str]().union(*(variables(kind) for kind in Settings.__subclasses__()))
    # Powertools reads the service's name itself.
    assert given - {"POWERTOOLS_SERVICE_NAME"} == read
