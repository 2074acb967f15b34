import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonata
import pytest

from hindsight.bootstrap.settings import RelabellingWorkers, read_settings
from hindsight.labels.relabelling.counting import CountingProgress
from hindsight.triggers.state import LEASE
from local.account_rules.machines import machine_role
from local.template import resources_of
from local.transformed import deployment

Resources = dict[str, dict[str, Any]]

ROOT = Path(__file__).parents[2]
# Of ours only Unavailable: it says of itself that the same again is safe.
TRANSIENT = re.compile(r"^((Lambda|SageMaker|Athena)\.\w+Exception|Unavailable)$")
# A step that died is tried once more: a sandbox may have been at fault, and a search goes on where it was.
DEATHS = {"States.Timeout", "Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory", "Lambda.Unknown"}
# What the input or output of a state of Step Functions may have.
STATE_BYTES = 256 * 1024
# These run when the run has ended: trying again is safe after any failure.
CLEAN_UP = {"Finalize", "Announce", "NoteFailure"}
# This must not delay the step that it announces.
IN_PASSING = {"AnnounceStart", "AnnounceSnapshot", "AnnounceTraining", "AnnouncePass"}
# A Catch leads to the conclusion, by way of the state that words the failure, or stays with its item of a map.
CAUGHT_IN = {"Finalize", "Failed", "CandidateFailed", "NoteFailure"}


@pytest.fixture(scope="module", params=["RetrainingStateMachine", "RelabellingStateMachine"])
def properties(request: pytest.FixtureRequest, template: dict[str, Any]) -> dict[str, Any]:
    machine: dict[str, Any] = template["Resources"][request.param]["Properties"]
    return machine


@pytest.fixture(scope="module")
def source(properties: dict[str, Any]) -> str:
    path: str = properties["DefinitionUri"]
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def definition(source: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(source)
    return parsed


def states(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for name, state in definition["States"].items():
        yield name, state, definition["States"]
        if state["Type"] == "Map":
            yield from states(state["ItemProcessor"])


def tasks(definition: dict[str, Any]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    return [entry for entry in states(definition) if entry[1]["Type"] == "Task"]


def is_wait(task: dict[str, Any]) -> bool:
    """Check whether a task waits for the holder of its token."""
    return bool(task["Resource"].endswith(".waitForTaskToken"))


def is_job(task: dict[str, Any]) -> bool:
    """Check whether a task is a job of another service, waited for."""
    return bool(task["Resource"] == "${TrainingTask}")


def test_every_substitution_resolves_and_is_used(properties: dict[str, Any], source: str) -> None:
    assert set(re.findall(r"\$\{(\w+)\}", source)) == set(properties["DefinitionSubstitutions"])


def test_the_run_and_every_task_have_a_timeout(definition: dict[str, Any]) -> None:
    assert definition["TimeoutSeconds"] > 0
    for name, task, _ in tasks(definition):
        if is_wait(task):
            assert task["TimeoutSeconds"].startswith("{% $states.input."), name
        elif is_job(task):
            assert task["TimeoutSeconds"] == "{% $number('${TrainingSeconds}') + 1800 %}", name
        else:
            assert task["TimeoutSeconds"] > 0, name


def test_a_run_that_waits_for_no_person_ends_within_its_lease(template: dict[str, Any]) -> None:
    machine = template["Resources"]["RetrainingStateMachine"]["Properties"]
    definition = json.loads((ROOT / machine["DefinitionUri"]).read_text(encoding="utf-8"))
    seconds = {
        name: template["Parameters"]["TrainingSeconds"]["MaxValue"] + 1800 if is_job(task) else longest_seconds(task)
        for name, task, _ in tasks(definition)
        if not is_wait(task)
    }
    # A query is looked at until its time is over, the last poll a little later; else it is as any other task.
    [patience] = re.findall(r"\$query_began\) >= (\d+)", json.dumps(definition["States"]["IsQueryDone"]))
    seconds["LookAtQuery"] += int(patience) / 1000 + definition["States"]["WaitForQuery"]["Seconds"]
    # A candidate is trained in one place or the other.
    in_lambda, in_job = seconds.pop("Train"), seconds.pop("TrainOnSageMaker") + seconds.pop("CollectTrained")
    longest = max(in_lambda, in_job) + sum(seconds.values())
    assert longest < LEASE.total_seconds()
    # The gate's configuration bounds how long a person may take.
    assert definition["TimeoutSeconds"] > timedelta(days=30).total_seconds() + longest


def longest_seconds(task: dict[str, Any]) -> float:
    """Compute the seconds that a task may take, with all its attempts and the waits between them."""
    attempts = sum(retry["MaxAttempts"] for retry in task["Retry"])
    waits = sum(retry["MaxAttempts"] * retry["MaxDelaySeconds"] for retry in task["Retry"] if retry["MaxAttempts"] > 1)
    return float((1 + attempts) * task["TimeoutSeconds"] + waits)


def test_every_task_outlasts_its_function(definition: dict[str, Any], template: dict[str, Any]) -> None:
    for name, task, _ in tasks(definition):
        if "FunctionName" in task["Arguments"] and not is_wait(task):
            function = template["Resources"][task["Arguments"]["FunctionName"].strip("${}")]["Properties"]
            timeout = function.get("Timeout", template["Globals"]["Function"]["Timeout"])
            assert task["TimeoutSeconds"] > timeout, name


def test_every_task_catches_everything(definition: dict[str, Any]) -> None:
    for name, task, _ in tasks(definition):
        assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


def test_every_catch_leads_to_conclude_or_stays_with_its_item(definition: dict[str, Any]) -> None:
    for name, state, siblings in states(definition):
        for catch in state.get("Catch", []):
            target = catch["Next"]
            if name in CLEAN_UP:
                assert siblings[target]["Type"] == "Fail", name
            elif name in IN_PASSING:
                assert target == state["Next"], name
            else:
                assert target in CAUGHT_IN, name


def test_only_transient_errors_are_tried_again_with_full_jitter(definition: dict[str, Any]) -> None:
    for name, task, _ in tasks(definition):
        for retry in task["Retry"]:
            assert retry["JitterStrategy"] == "FULL", name
            if set(retry["ErrorEquals"]) & DEATHS:
                assert (set(retry["ErrorEquals"]), retry["MaxAttempts"]) == (DEATHS, 1), name
            elif name not in CLEAN_UP | IN_PASSING:
                assert all(TRANSIENT.match(error) for error in retry["ErrorEquals"]), name


def test_every_way_to_success_passes_finalize(definition: dict[str, Any]) -> None:
    flow = {
        name: {state.get("Next"), state.get("Default"), *(choice["Next"] for choice in state.get("Choices", []))}
        | {catch["Next"] for catch in state.get("Catch", [])}
        for name, state in definition["States"].items()
        if name != "Finalize"
    }
    reached, waiting = set[str](), [definition["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(target for target in flow.get(name, ()) if target)
    assert not [name for name in reached if definition["States"][name]["Type"] in {"Succeed", "Fail"}]


def test_the_machine_may_invoke_exactly_the_functions_it_names(
    template: dict[str, Any], properties: dict[str, Any]
) -> None:
    named = {
        value["Fn::GetAtt"][0] for value in properties["DefinitionSubstitutions"].values() if "Fn::GetAtt" in value
    }
    assert named
    role = template["Resources"][properties["Role"]["Fn::GetAtt"][0]]["Properties"]
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    (invoke,) = [statement for statement in statements if statement["Action"] == "lambda:InvokeFunction"]
    assert {resource["Fn::GetAtt"][0] for resource in invoke["Resource"]} == named


@pytest.mark.parametrize("stack", ["a", "hindsight", "h" * 128])
def test_a_training_job_s_name_fits_and_is_one_that_the_machine_may_start(template: dict[str, Any], stack: str) -> None:
    machine = template["Resources"]["RetrainingStateMachine"]["Properties"]
    definition = json.loads((ROOT / machine["DefinitionUri"]).read_text(encoding="utf-8"))
    (job,) = [task for _, task, _ in tasks(definition) if is_job(task)]
    mark = "0fe1dc2b"
    worded = job["Arguments"]["TrainingJobName"].replace("${StackName}", stack).replace("${StackMark}", mark)
    # Step Functions has a function of its own for it, which the language does not know.
    worded = worded.replace("$uuid()", "'123e4567-e89b-12d3-a456-426614174000'").strip("{% }")

    name = jsonata.Jsonata(worded).evaluate({})

    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)
    assert name.startswith(stack[:30])
    deployed = deployment({"TrainingEngine": "sagemaker"})
    place = deployed.place
    mark_here = place.pseudo_parameters["AWS::StackId"].split("/")[2][:8]
    arn = f"arn:aws:sagemaker:{place.region}:{place.account}:training-job/{name.replace(mark, mark_here)}"
    assert machine_role(deployed, "RetrainingStateMachine").may("sagemaker:CreateTrainingJob", arn)


def test_every_map_catches_everything_and_a_distributed_one_is_bounded(definition: dict[str, Any]) -> None:
    for name, state, _ in states(definition):
        if state["Type"] == "Map":
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
            if state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED":
                # A number of the definition would hold for every account; the parameter is the operator's.
                assert "MaxConcurrency" not in state, name
                assert state["MaxConcurrencyPath"] == "$.workers", name
                # A million results do not fit into a state's output: they go to the lake, and are dropped here.
                assert state["ResultWriter"]["Parameters"]["Bucket"] == "${LakeBucket}", name
                assert state["ResultPath"] is None, name
                # A child's input is a payload too; what it adds to it is a failure of a thousand characters.
                assert state["ItemBatcher"]["MaxInputBytesPerBatch"] + 20_000 <= STATE_BYTES, name
                assert state["ItemBatcher"]["MaxItemsPerBatchPath"] == "$.files_per_batch", name


@pytest.mark.parametrize(("folder", "files_per_batch"), [("FeedbackFirst", 3), ("PredictionsNext", 17)])
def test_map_of_a_relabelling_has_the_workers_and_batches_that_its_files_were_divided_into(
    template: dict[str, Any], folder: str, files_per_batch: int
) -> None:
    path = template["Resources"]["RelabellingStateMachine"]["Properties"]["DefinitionUri"]
    states_by_name = json.loads((ROOT / path).read_text(encoding="utf-8"))["States"]
    before = states_by_name[folder]
    assert before["Next"] == "Files"
    counted = CountingProgress(files=160, feedback_files=24, feedback=24, predictions=136).divided(workers=2)
    expression = jsonata.Jsonata(before["Output"].strip("{% }"))
    expression.assign("run", {"feedback_prefix": "feedback/", "predictions_prefix": "predictions/model=m/"})
    expression.assign("counted", asdict(counted))

    entered = expression.evaluate({})

    files = states_by_name["Files"]
    assert entered[files["MaxConcurrencyPath"].removeprefix("$.")] == 2
    assert entered[files["ItemBatcher"]["MaxItemsPerBatchPath"].removeprefix("$.")] == files_per_batch


def test_relabelling_is_divided_by_the_parameter_that_bounds_consumers() -> None:
    for concurrency in ("2", "12"):
        function = deployment({"ConsumerConcurrency": concurrency}).resources["CoordinateRelabellingFunction"]
        environment = function["Properties"]["Environment"]["Variables"]
        assert read_settings(RelabellingWorkers, environment).consumer_concurrency == int(concurrency)


def test_every_machine_is_logged_and_traced_and_its_failures_are_announced(template: dict[str, Any]) -> None:
    machines = resources_of(template, "AWS::Serverless::StateMachine")
    rule = template["Resources"]["FailedExecutionsRule"]["Properties"]
    watched = rule["EventPattern"]["detail"]
    assert [machine["Ref"] for machine in watched["stateMachineArn"]] == list(machines)[::-1]
    assert watched["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "OperationsTopic"}
    for name, machine in machines.items():
        assert machine["Properties"]["Tracing"] == {"Enabled": {"Fn::If": ["Traces", True, False]}}, name
        assert machine["Properties"]["Logging"]["IncludeExecutionData"] is False, name
        assert template["Outputs"][name]["Value"] == {"Ref": name}


def test_the_children_of_a_distributed_map_are_executions_of_the_machine_that_its_role_names(
    template: dict[str, Any],
) -> None:
    machine = template["Resources"]["RelabellingStateMachine"]["Properties"]
    role = template["Resources"]["RelabellingStateMachineRole"]["Properties"]
    name = machine["Name"]["Fn::Sub"]
    allowed = {
        action: statement["Resource"]["Fn::Sub"].strip()
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if action.startswith("states:")
    }
    assert set(allowed) == {"states:StartExecution", "states:DescribeExecution", "states:StopExecution"}
    assert allowed["states:StartExecution"].endswith(f":stateMachine:{name}")
    assert allowed["states:StopExecution"].endswith(f":execution:{name}:*")
