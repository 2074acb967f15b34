"""Rules of a real account hold for every set of parameters that makes a difference."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import transformed as module
from local.account_rules import findings, parameter_sets
from local.account_rules import functions as function_rules
from local.account_rules.creation import rights_come_too_late
from local.account_rules.functions import code_is_too_large, functions_outgrow_the_account, layers_not_built
from local.account_rules.keys import roles_cannot_use_the_key
from local.account_rules.machines import (
    ASKED_FOR,
    integrations_of,
    machine_role,
    machines_lack_rights,
    machines_wait_for_what_is_off,
)
from local.account_rules.missing import NEED_NO_LIST, gone_looks_forbidden, readers_without_list_right
from local.account_rules.names import (
    LONGEST_NAMES,
    MAX_STACK_NAME,
    logs_of_machines_fill_the_resource_policy,
    names_are_too_long,
)
from local.account_rules.sizes import policies_are_too_large, template_is_too_large
from local.account_rules.timing import batches_outlast_their_function, messages_come_back_too_early
from local.transformed import LABELS, Deployment, deployment, transformed

ON_SAGEMAKER = {"TrainingEngine": "sagemaker", "TrainingImage": LABELS["TrainingImage"]}
WITH_KEY = {"KmsKeyArn": LABELS["KmsKeyArn"]}
MACHINES = ["RetrainingStateMachine", "RelabellingStateMachine"]
OBSERVED_BY = ("logs:", "xray:")


def test_no_set_of_parameters_would_fail_on_a_real_account() -> None:
    found = {finding for parameters in parameter_sets() for finding in findings(parameters)}
    assert not found, "\n".join(sorted(found))


def test_names_are_judged_where_they_are_longest() -> None:
    session = boto3.Session()
    regions = {
        region
        for partition in ("aws", "aws-cn", "aws-us-gov")
        for region in session.get_available_regions("s3", partition_name=partition)
    }
    assert max(map(len, regions)) == len(LONGEST_NAMES.region)
    assert len(LONGEST_NAMES.stack_name) == MAX_STACK_NAME


def test_every_condition_is_once_true_and_once_false_among_the_sets() -> None:
    conditional = {name: set[bool]() for name in transformed()["Conditions"]}
    for parameters in parameter_sets():
        evaluation = module.Evaluation(transformed(), parameters, module.Place())
        for name, outcomes in conditional.items():
            outcomes.add(evaluation.holds(name))
    assert all(outcomes == {True, False} for outcomes in conditional.values()), conditional


def test_nothing_but_values_is_left_of_a_deployment() -> None:
    for parameters in (parameter_sets()[0], parameter_sets()[-1]):
        left = json.dumps(deployment(parameters).resources)
        assert not any(f'"{one}"' in left for one in ("Ref", "Fn::Sub", "Fn::If", "Fn::GetAtt", "AWS::NoValue"))


def changed(parameters: dict[str, str], name: str, **properties: Any) -> Deployment:
    """Change a resource of a deployment."""
    found = deployment(parameters)
    resource = copy.deepcopy(found.resources[name])
    resource["Properties"].update(properties)
    return Deployment(found.parameters, found.place, {**found.resources, name: resource})


def without_policy(parameters: dict[str, str], role: str, action: str) -> Deployment:
    policies = deployment(parameters).resources[role]["Properties"]["Policies"]
    return changed(parameters, role, Policies=[one for one in policies if action not in json.dumps(one)])


def test_machine_whose_rule_rights_are_attached_later_is_found() -> None:
    moved = without_policy(ON_SAGEMAKER, "RetrainingStateMachineRole", "events:PutRule")
    role = moved.resources["RetrainingStateMachineRole"]
    statement = {"Effect": "Allow", "Action": ["events:*", "sagemaker:*", "iam:*"], "Resource": "*"}
    attached = {"PolicyName": "Later", "Roles": [role["Name"]], "PolicyDocument": {"Statement": [statement]}}
    moved.resources["Later"] = {"Type": "AWS::IAM::Policy", "Properties": attached, "Name": "later", "Arn": "later"}
    found = list(machines_lack_rights(moved))
    assert any("asks for events:PutRule" in one for one in found)
    assert any("do not allow events:PutRule on" in one for one in found)


def test_job_that_is_waited_for_although_its_engine_is_off_is_found() -> None:
    found = deployment({})
    substitutions = found.resources["RetrainingStateMachine"]["Properties"]["DefinitionSubstitutions"]
    waiting = substitutions | {"TrainingTask": "arn:aws:states:::sagemaker:createTrainingJob.sync"}
    old = changed({}, "RetrainingStateMachine", DefinitionSubstitutions=waiting)
    assert len(list(machines_wait_for_what_is_off(old))) == 1
    assert not list(machines_wait_for_what_is_off(found))


@pytest.mark.parametrize("role", ["TrainingJobRole", "SchedulesRole"])
def test_role_that_the_key_s_policy_forgets_is_found(role: str) -> None:
    parameters = ON_SAGEMAKER | WITH_KEY
    named = deployment(parameters)
    roles = [
        one for one in named.of("AWS::IAM::Policy")["UseKeyPolicy"]["Roles"] if one != named.resources[role]["Name"]
    ]
    found = list(roles_cannot_use_the_key(changed(parameters, "UseKeyPolicy", Roles=roles)))
    assert {one.partition(":")[0] for one in found} == {role}, "every function's role is listed in UseKeyPolicy"


def test_memory_that_a_new_account_does_not_give_is_found_unless_it_was_asked_for() -> None:
    assert list(functions_outgrow_the_account(changed({}, "TrainFunction", MemorySize=3072)))
    assert deployment({"WorkMemory": "10240"}).of("AWS::Lambda::Function")["TrainFunction"]["MemorySize"] == "10240"
    assert not list(functions_outgrow_the_account(deployment({"WorkMemory": "10240"})))


def engines() -> Iterator[dict[str, str]]:
    for training in ({}, ON_SAGEMAKER):
        for snapshot in ("lambda", "athena"):
            yield {**training, "SnapshotEngine": snapshot}


@pytest.mark.parametrize("machine", MACHINES)
def test_every_right_of_a_machine_is_used_by_its_engines(machine: str) -> None:
    for parameters in engines():
        found = deployment(parameters)
        asked = set[str]().union(*(ASKED_FOR[one] for one in integrations_of(found.definition_of(machine))))
        given = {action for one in machine_role(found, machine).inline for action in one.actions}
        assert {one for one in given if not one.startswith(OBSERVED_BY)} <= asked, parameters


def test_rights_of_an_engine_are_given_only_where_it_is_on() -> None:
    services = {
        (parameters["SnapshotEngine"], parameters.get("TrainingEngine", "lambda")): {
            action.partition(":")[0]
            for one in machine_role(deployment(parameters), "RetrainingStateMachine").inline
            for action in one.actions
        }
        for parameters in engines()
    }
    for (snapshot, training), given in services.items():
        assert bool(given & {"athena", "glue"}) == (snapshot == "athena")
        assert bool(given & {"sagemaker", "iam"}) == (training == "sagemaker")


def test_lake_s_name_of_account_and_region_is_found_too_long() -> None:
    place = LONGEST_NAMES
    old = f"{place.stack_name}-lake-{place.account}-{place.region}"
    (found,) = names_are_too_long(changed({}, "LakeBucket", BucketName=old))
    assert found.startswith(f"LakeBucket: BucketName {old} (73 characters)")


def test_name_of_a_kind_that_no_limit_is_known_of_is_found() -> None:
    deployed = changed({}, "EventBus")
    deployed.resources["New"] = {"Type": "AWS::New::Thing", "Properties": {"Name": "x"}, "Name": "x", "Arn": "x"}
    assert [one for one in names_are_too_long(deployed) if "no known form" in one]


def test_logs_of_a_machine_that_fill_the_account_s_resource_policy_are_found() -> None:
    arn = "arn:aws:logs:eu-central-1:123456789012:log-group:hindsight-RetrainingLogGroup-1:*"
    logging = {"Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": arn}}]}
    deployed = changed({}, "RetrainingStateMachine", LoggingConfiguration=logging)
    assert len(list(logs_of_machines_fill_the_resource_policy(deployed))) == 1


def test_policies_beyond_their_limits_are_found() -> None:
    many = [{"Effect": "Allow", "Action": f"s3:{number:04}", "Resource": "*"} for number in range(150)]
    inline = [{"PolicyName": "Large", "PolicyDocument": {"Statement": many}}] * 2
    assert len(list(policies_are_too_large(changed({}, "PredictFunctionRole", Policies=inline)))) == 1
    managed = changed({}, "FunctionBoundary", PolicyDocument={"Statement": many})
    assert len(list(policies_are_too_large(managed))) == 1


def test_more_resources_than_there_is_room_for_are_found() -> None:
    deployed = deployment()
    more = {f"More{number}": deployed.resources["AppKey"] for number in range(300)}
    crowded = Deployment({}, deployed.place, {**deployed.resources, **more})
    assert len(list(template_is_too_large(crowded))) == 1


def test_batch_that_outlasts_its_function_is_found() -> None:
    deployed = changed({}, "ArchiveLabelsFunctionLabels", BatchSize=100_000)
    (found,) = batches_outlast_their_function(deployed)
    assert found.startswith("ArchiveLabelsFunction: 100000 items")


def test_message_that_comes_back_while_it_is_worked_on_is_found() -> None:
    (found,) = messages_come_back_too_early(changed({}, "LogObjectsQueue", VisibilityTimeout=1800))
    assert found.startswith("LogObjectsQueue: hides a message for 1800 s")
    alone = changed({}, "JoinLabelsFunctionFeedbackFiles", ScalingConfig={"MaximumConcurrency": 1})
    assert len(list(messages_come_back_too_early(alone))) == 1


@pytest.mark.parametrize("role", ["JoinLabelsFunctionRole", "RelabelFilesFunctionRole"])
def test_reader_of_the_lake_without_list_right_is_found(role: str) -> None:
    (policy, *rest) = deployment().of("AWS::IAM::Role")[role]["Policies"]
    statements = [one for one in policy["PolicyDocument"]["Statement"] if one["Action"] != "s3:ListBucket"]
    old = [{**policy, "PolicyDocument": {"Statement": statements}}, *rest]
    found = list(gone_looks_forbidden(changed({}, role, Policies=old)))
    assert found
    assert all(one.startswith(f"{role}: reads ") for one in found)


def test_every_reader_that_need_not_list_is_one_that_may_not() -> None:
    both = deployment({**ON_SAGEMAKER, "SnapshotEngine": "athena"})
    assert set(readers_without_list_right(both)) == set(NEED_NO_LIST)


def test_code_and_layers_that_lambda_does_not_take_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"build/layers/science/": 200 << 20, "shared/": 51 << 20}
    monkeypatch.setattr(function_rules, "_unzipped", lambda key: sizes.get(key, 0))
    assert not layers_not_built(deployment())
    found = [one.partition(":")[0] for one in code_is_too_large(deployment())]
    assert "PredictFunction" in found
    assert "SnapshotFunction" not in found
    layers = deployment().of("AWS::Lambda::Function")["SnapshotFunction"]["Layers"] * 2
    assert [one for one in code_is_too_large(changed({}, "SnapshotFunction", Layers=layers)) if " 6 layers " in one]


def test_function_whose_layer_is_not_built_is_named_as_not_judged_rather_than_small(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "build/layers/dependencies").mkdir(parents=True)
    (tmp_path / "build/layers/data/python").mkdir(parents=True)
    (tmp_path / "build/layers/data/python/one.py").write_bytes(b"x" * 1000)
    for folder in ("shared", "pipelines"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_bytes(b"x")
    monkeypatch.setattr(function_rules, "TEMPLATE", tmp_path / "template.yaml")
    monkeypatch.setattr(function_rules, "_MAX_UNZIPPED_BYTES", 0)
    monkeypatch.setattr(function_rules, "_unzipped", function_rules._unzipped.__wrapped__)
    assert sorted(layers_not_built(deployment()).values()) == ["build/layers/dependencies/", "build/layers/science/"]
    assert not list(code_is_too_large(deployment()))
    (tmp_path / "build/layers/dependencies/two.py").write_bytes(b"x")
    assert list(layers_not_built(deployment()).values()) == ["build/layers/science/"]
    found = {one.partition(":")[0] for one in code_is_too_large(deployment())}
    assert "SnapshotFunction" in found
    assert "PredictFunction" not in found


@pytest.mark.parametrize(
    ("role", "action"),
    [
        ("MonitorFunctionRole", "sqs:SendMessage"),
        ("ArchiveLabelsFunctionRole", "sqs:SendMessage"),
        ("RelabellingStateMachineRole", "logs:CreateLogDelivery"),
    ],
)
def test_right_that_is_checked_when_something_is_made_is_found_missing(role: str, action: str) -> None:
    assert not list(rights_come_too_late(deployment()))
    found = list(rights_come_too_late(without_policy({}, role, action)))
    assert found
    assert all(one.startswith(f"{role}: may not ") for one in found)
