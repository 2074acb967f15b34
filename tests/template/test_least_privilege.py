import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hindsight.adapters.models_table.key_digests import KEYS
from hindsight.privacy.data_map import IN_OTHER_FORMS, KINDS, LABEL_RECORDS, LOG, OTHERS, WITHOUT_SUBJECTS
from local.rights import role_of
from local.template import resources_of
from local.transformed import deployment

Resources = dict[str, dict[str, Any]]

ROOT = Path(__file__).parents[2]
# What a handler calls that moves the serving pointer, or loads the artefacts of versions.
MOVES_THE_POINTER = {"deploy", "overrides", "rollbacks", "rollout_evaluation"}
LOADS_ARTEFACTS = {*MOVES_THE_POINTER, "monitor", "require_loadable", "load_artifact", "load_estimator", "validate"}

# Where an erasure takes out what is a subject's; and where it notes what it does.
CLEANED = {
    *("compacted", "datasets", "erasures", "exports", "labels", "feedback", "imports", "models"),
    *("predictions", "profiles", "quarantine", "queries", "replayed", "uploads"),
}

# Every wildcard resource there is, with the reason why AWS takes nothing narrower.
WILDCARDS = {
    ("MonitorFunction", "cloudwatch:PutMetricData"): "metrics have no ARN; the namespace is a condition",
    ("DecideVersionsFunction", "states:SendTaskSuccess"): "a task has no ARN; its token is what allows to answer it",
    ("RegisterVersionFunction", "states:SendTaskSuccess"): "a task has no ARN; its token is what allows to answer it",
    ("RetrainingStateMachineRole", "logs:CreateLogDelivery"): "log delivery belongs to no resource",
    ("RetrainingStateMachineRole", "xray:PutTraceSegments"): "traces belong to no resource",
    ("TrainingJobRole", "ecr:GetAuthorizationToken"): "a registry's token belongs to no resource",
    ("RelabellingStateMachineRole", "logs:CreateLogDelivery"): "log delivery belongs to no resource",
    ("RelabellingStateMachineRole", "xray:PutTraceSegments"): "traces belong to no resource",
}


def statements(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in resources_of(template, "AWS::Serverless::Function").items():
        for policy in resource["Properties"].get("Policies", []):
            assert isinstance(policy, dict), f"{name} names a managed policy"
            yield from ((name, statement) for statement in policy["Statement"])
    for name, policy in resources_of(template, "AWS::IAM::Policy").items():
        yield from ((name, statement) for statement in policy["Properties"]["PolicyDocument"]["Statement"])
    for name, role in resources_of(template, "AWS::IAM::Role").items():
        for policy in role["Properties"]["Policies"]:
            # What an engine needs is given where it is on.
            given = policy["Fn::If"][1] if "Fn::If" in policy else policy
            yield from ((name, statement) for statement in given["PolicyDocument"]["Statement"])


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_resource_is_a_wildcard_that_a_narrower_one_could_replace(template: dict[str, Any]) -> None:
    found = [(name, statement) for name, statement in statements(template) if "*" in as_list(statement["Resource"])]
    assert len(found) == 6
    for name, statement in found:
        assert any((name, action) in WILDCARDS for action in as_list(statement["Action"])), (name, statement)


def test_no_action_is_a_wildcard(template: dict[str, Any]) -> None:
    for name, statement in statements(template):
        assert not any("*" in action for action in as_list(statement["Action"])), name


def test_published_metrics_are_bound_to_the_namespace(template: dict[str, Any]) -> None:
    (metrics,) = [
        statement for _, statement in statements(template) if statement["Action"] == "cloudwatch:PutMetricData"
    ]
    assert metrics["Condition"] == {"StringEqualsIfExists": {"cloudwatch:namespace": "Hindsight"}}


def test_the_authorizer_reaches_no_item_of_a_model(template: dict[str, Any]) -> None:
    reached = [
        statement
        for name, statement in statements(template)
        if name == "AuthorizeFunction" and "dynamodb:PutItem" in as_list(statement["Action"])
    ]
    assert [one["Condition"] for one in reached] == [
        {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [KEYS]}},
    ]


def test_lists_of_the_lake_are_bound_to_prefixes(template: dict[str, Any]) -> None:
    for name, statement in statements(template):
        if name.endswith("Function") and "s3:ListBucket" in as_list(statement["Action"]):
            assert "s3:prefix" in statement["Condition"]["StringLike"], name


def test_objects_are_reached_by_prefix_only(template: dict[str, Any]) -> None:
    for name, statement in statements(template):
        if {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"} & set(as_list(statement["Action"])):
            for resource in as_list(statement["Resource"]):
                assert resource["Fn::Sub"].removeprefix("${LakeBucket.Arn}/") not in {"", "*"}, name


def test_objects_are_removed_only_where_they_are_kept_elsewhere_or_have_expired(template: dict[str, Any]) -> None:
    found = {
        (name, resource["Fn::Sub"])
        for name, statement in statements(template)
        if "s3:DeleteObject" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }
    assert found == {
        ("CompactLabelsFunction", "${LakeBucket.Arn}/labels/*"),
        ("PackObjectsFunction", "${LakeBucket.Arn}/labels/*"),
        ("PackObjectsFunction", "${LakeBucket.Arn}/predictions/*"),
        ("ReplayQuarantineFunction", "${LakeBucket.Arn}/quarantine/*"),
        ("ExpireVersionsFunction", "${LakeBucket.Arn}/datasets/*"),
        ("ExpireVersionsFunction", "${LakeBucket.Arn}/models/*"),
        *(("EraseSubjectFunction", f"${{LakeBucket.Arn}}/{prefix}/*") for prefix in {*CLEANED, *KINDS}),
    }


def test_an_erasure_reaches_every_place_that_may_hold_a_subject_s_data_in_every_version(
    template: dict[str, Any],
) -> None:
    prefixes = {prefix.split("/")[0] for place in (LOG, LABEL_RECORDS, *OTHERS) for prefix in place.prefixes("m")}
    assert prefixes | set(IN_OTHER_FORMS) | {"erasures"} == CLEANED
    found = {
        action: {resource["Fn::Sub"].split("/")[1] for resource in statement["Resource"]}
        for name, statement in statements(template)
        if name == "EraseSubjectFunction" and "s3:GetObjectVersion" in as_list(statement["Action"])
        for action in statement["Action"]
    }
    assert set(found) >= {"s3:GetObjectVersion", "s3:DeleteObjectVersion"}
    assert all(reached == CLEANED for reached in found.values())


def test_every_prefix_of_the_lake_is_cleaned_by_an_erasure_or_holds_no_entities() -> None:
    page = (ROOT / "docs/data-model.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([a-z-]+)/", page.split("## The lake")[1], re.MULTILINE))
    assert named == CLEANED | set(WITHOUT_SUBJECTS)
    # Of a model all goes; batches of a relabelling have no key of a model, and end by themselves.
    assert named == {*KINDS, "feedback", "relabels"}


def test_erasure_of_a_model_may_remove_every_version_of_its_objects(template: dict[str, Any]) -> None:
    found = {"s3:ListBucketVersions": set[str](), "s3:DeleteObjectVersion": set[str]()}
    for name, statement in statements(template):
        for action in found.keys() & set(as_list(statement["Action"])) if name == "EraseSubjectFunction" else ():
            resources = [resource.get("Fn::Sub", "/") for resource in as_list(statement["Resource"])]
            prefixes = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", [])
            found[action] |= {one.split("/")[0] for one in prefixes} or {one.split("/")[1] for one in resources}
    assert all(reached == {*KINDS, "feedback"} for reached in found.values()), found


def names_in(handler: str) -> set[str]:
    """List the names that a handler's module uses, those of attributes too."""
    path = (ROOT / Path(*handler.split(".")[:-1])).with_suffix(".py")
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    return used | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def allowed_to(template: dict[str, Any], function: str, action: str) -> list[dict[str, Any]]:
    """List the statements that let a function do something."""
    return [
        statement
        for name, statement in statements(template)
        if name == function and action in as_list(statement["Action"])
    ]


def test_functions_that_move_the_serving_pointer_may_check_the_conditions(
    template: dict[str, Any], functions: Resources
) -> None:
    movers = {name for name, function in functions.items() if names_in(function["Handler"]) & MOVES_THE_POINTER}
    assert movers == {
        "DecideVersionsFunction",
        "DeployFunction",
        "EvaluateRolloutsFunction",
    }
    for name in movers:
        for action in ("dynamodb:ConditionCheckItem", "dynamodb:PutItem"):
            allowed = [statement["Resource"] for statement in allowed_to(template, name, action)]
            assert {"Fn::GetAtt": ["ModelsTable", "Arn"]} in allowed, (name, action)


def test_functions_that_load_artefacts_can_distinguish_missing_from_forbidden(
    template: dict[str, Any], functions: Resources
) -> None:
    loaders = {name for name, function in functions.items() if names_in(function["Handler"]) & LOADS_ARTEFACTS}
    assert loaders >= {"DeployFunction", "MonitorFunction", "PredictFunction", "ValidateFunction"}
    for name in loaders:
        reads = allowed_to(template, name, "s3:GetObject")
        objects = [resource["Fn::Sub"] for statement in reads for resource in as_list(statement["Resource"])]
        assert "${LakeBucket.Arn}/models/*" in objects, name
        prefixes = [
            prefix
            for found in allowed_to(template, name, "s3:ListBucket")
            for prefix in as_list(found["Condition"]["StringLike"]["s3:prefix"])
        ]
        assert "models/*" in prefixes, name


def test_every_function_lies_within_the_boundary(template: dict[str, Any], functions: Resources) -> None:
    assert template["Globals"]["Function"]["PermissionsBoundary"] == {"Ref": "FunctionBoundary"}
    assert not [name for name, function in functions.items() if "PermissionsBoundary" in function]


def test_no_function_has_a_policy_of_another_service_than_its_work_needs(template: dict[str, Any]) -> None:
    allowed = {
        "CaptureFeedbackFunction": {"dynamodb", "firehose", "secretsmanager"},
        "AuthorizeFunction": {"apigateway", "dynamodb"},
        "ArchivePredictionsFunction": {"dynamodb", "s3", "sqs"},
        "FinalizeRunFunction": {"dynamodb", "events"},
        "ExpireVersionsFunction": {"dynamodb", "s3"},
        "EvaluateRolloutsFunction": {"dynamodb", "s3", "events"},
        "CoordinateRelabellingFunction": {"dynamodb", "s3"},
        "RelabelFilesFunction": {"dynamodb", "s3"},
        "ConfigureModelFunction": {"dynamodb", "sqs", "states"},
        "HandleReviewsFunction": {"dynamodb", "firehose"},
        "RequestReviewsFunction": {"dynamodb", "firehose"},
        "ExpireReviewsFunction": {"dynamodb", "firehose"},
        "RequestApprovalFunction": {"dynamodb", "events"},
        "RequestVersionFunction": {"dynamodb", "events", "s3"},
        "RegisterVersionFunction": {"dynamodb", "s3", "states"},
        "DecideVersionsFunction": {"dynamodb", "s3", "events", "states"},
        "GetModelFunction": {"dynamodb", "s3", "states"},
        "RequestJobsFunction": {"dynamodb", "lambda", "s3", "sqs", "states"},
        "CompactLabelsFunction": {"dynamodb", "s3"},
        "VerifyDatasetFunction": {"dynamodb", "s3"},
        "ExportLabelsFunction": {"dynamodb", "s3"},
    }
    for name, statement in statements(template):
        if name in allowed:
            services = {action.split(":")[0] for action in as_list(statement["Action"])}
            assert services <= allowed[name], name


def test_rights_of_training_jobs_exist_only_if_they_are_turned_on(template: dict[str, Any]) -> None:
    assert template["Resources"]["TrainingJobRole"]["Condition"] == "TrainsOnSageMaker"
    assert template["Parameters"]["TrainingEngine"]["Default"] == "lambda"
    roles = deployment().of("AWS::IAM::Role")
    assert "TrainingJobRole" not in roles
    for name in roles:
        services = {action.split(":")[0] for one in role_of(deployment(), name).statements for action in one.actions}
        assert not services & {"sagemaker", "iam", "ecr"}, name
