import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from local.template import layers_of, resources_of

Resources = dict[str, dict[str, Any]]

ROOT = Path(__file__).parents[2]
SCIENCE = {
    "PredictFunction",
    "ProfilePredictionsFunction",
    "MonitorFunction",
    "TrainFunction",
    "ValidateFunction",
    "DeployFunction",
    "DecideVersionsFunction",
    "RegisterVersionFunction",
    "EvaluateRolloutsFunction",
}
DATA = {
    "CompactLabelsFunction",
    "EraseSubjectFunction",
    "PlanSnapshotFunction",
    "SnapshotFunction",
    "VerifyDatasetFunction",
    "ExportLabelsFunction",
}


def camel_case(folder: str) -> str:
    return "".join(word.capitalize() for word in folder.split("_"))


def test_every_folder_is_a_function_and_every_function_a_folder(functions: Resources) -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert set(functions) == {f"{camel_case(folder)}Function" for folder in folders}


def test_page_of_functions_has_a_row_for_every_folder_and_no_other() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    section = (ROOT / "docs/functions.md").read_text(encoding="utf-8").partition("\n## The functions\n")[2]
    rows = re.findall(r"^\| `(\w+)` \|", section.partition("\n## ")[0], re.MULTILINE)
    assert sorted(rows) == sorted(folders), "docs/functions.md: a row each"


def test_every_function_is_named_as_its_folder(functions: Resources) -> None:
    for name, function in functions.items():
        folder = function["CodeUri"].removeprefix("functions/").rstrip("/")
        assert name == f"{camel_case(folder)}Function"
        assert function["Handler"] == f"functions.{folder}.app.handler"


def test_every_handler_imports(functions: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    for name, function in functions.items():
        module, handler = function["Handler"].rsplit(".", 1)
        assert callable(getattr(importlib.import_module(module), handler)), name


def test_every_function_has_a_log_group_of_its_own_with_retention(
    template: dict[str, Any], functions: Resources
) -> None:
    groups = resources_of(template, "AWS::Logs::LogGroup")
    used = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions.values()]
    assert len(set(used)) == len(functions), "a log group for each"
    assert all(groups[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in used)


def test_calls_of_the_api_alone_are_traced_by_its_sampling_rule(template: dict[str, Any], functions: Resources) -> None:
    assert template["Globals"]["Function"]["Tracing"] == "PassThrough"
    traced = {"Fn::If": ["Traces", "Active", "PassThrough"]}
    called = {
        name
        for name, function in functions.items()
        if any(e["Type"] == "Api" for e in function.get("Events", {}).values())
    }
    assert {name for name, function in functions.items() if "Tracing" in function} == {*called, "AuthorizeFunction"}
    assert all(functions[name]["Tracing"] == traced for name in called)
    assert template["Globals"]["Api"]["TracingEnabled"] == {"Fn::If": ["Traces", True, False]}


def test_the_sampling_rule_is_of_the_stack_s_own_stage_and_takes_no_more_than_the_parameter(
    template: dict[str, Any],
) -> None:
    resource = template["Resources"]["SamplingRule"]
    rule = resource["Properties"]["SamplingRule"]
    assert resource["Condition"] == "Traces"
    assert (rule["FixedRate"], rule["ReservoirSize"]) == ({"Ref": "TracingSampling"}, 0)
    stage = template["Resources"]["Api"]["Properties"]["StageName"]
    assert (rule["ServiceName"], rule["ServiceType"]) == (
        {"Fn::Sub": f"${{AWS::StackName}}/{stage}"},
        "AWS::ApiGateway::Stage",
    )
    assert template["Parameters"]["TracingSampling"]["Default"] <= 0.05


# What is judged when API Gateway has hung up is recorded, and the same call again finds it.
OUTLASTS_ITS_CALL = "RegisterVersionFunction"


def test_every_function_has_a_timeout_within_its_caller_s(template: dict[str, Any], functions: Resources) -> None:
    common = template["Globals"]["Function"]
    for name, function in functions.items():
        timeout = function.get("Timeout", common["Timeout"])
        kinds = {event["Type"] for event in function.get("Events", {}).values()}
        # API Gateway hangs up after 29 seconds; a function that runs longer has no caller left to answer.
        assert timeout <= (30 if "Api" in kinds and name != OUTLASTS_ITS_CALL else 900), name
        assert function["Description"], name


def test_only_the_functions_that_do_mathematics_carry_the_science_layer(
    template: dict[str, Any], functions: Resources
) -> None:
    carrying = {name for name in functions if "ScienceLayer" in layers_of(template, name)}
    assert carrying == SCIENCE
    # What loads a version needs the types that the deployment's own pipelines brought into it.
    assert {name for name in functions if "PipelinesLayer" in layers_of(template, name)} == SCIENCE
    # Together the two layers would be too large for a function.
    assert {name for name in functions if "DataLayer" in layers_of(template, name)} == DATA
    assert all({"SharedLayer", "DependenciesLayer"} <= layers_of(template, name) for name in functions)


def test_the_stack_s_outputs_are_complete(template: dict[str, Any], functions: Resources) -> None:
    stores = {"ApiUrl", "LakeBucket", "PredictionsTable", "ModelsTable", "RetrainingStateMachine"}
    assert stores | set(functions) <= set(template["Outputs"]), "Outputs of template.yaml: a line for every function"
    for name in functions:
        assert template["Outputs"][name]["Value"] == {"Ref": name}
