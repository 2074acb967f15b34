"""What the state machines may do is what their definitions do: the embedded AWS judges the roles of functions only."""

import json
from typing import Any

import pytest

from tests.template.test_state_machine import ROOT, states

MULTIPART = {"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"}
QUERY = {"athena:GetQueryExecution", "athena:StartQueryExecution", "glue:GetDatabase", "glue:GetTable"}
# What each integration asks for in the name of the machine's role, by the documentation of Step Functions and Athena.
ASKED_FOR = {
    "lambda:invoke": {"lambda:InvokeFunction"},
    "lambda:invoke.waitForTaskToken": {"lambda:InvokeFunction"},
    "events:putEvents": {"events:PutEvents"},
    "dynamodb:updateItem": {"dynamodb:UpdateItem"},
    "aws-sdk:athena:startQueryExecution": {*QUERY, *MULTIPART, "s3:GetBucketLocation", "s3:ListBucket"},
    "aws-sdk:athena:getQueryExecution": {"athena:GetQueryExecution"},
    "sagemaker:createTrainingJob.sync": {
        *(
            f"sagemaker:{action}"
            for action in ("AddTags", "CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob")
        ),
        *(f"events:{action}" for action in ("DescribeRule", "PutRule", "PutTargets")),
        "iam:PassRole",
    },
    # A distributed map: what it reads, what it writes, and its children.
    "s3:listObjectsV2": {"s3:ListBucket"},
    "s3:putObject": MULTIPART,
    "DISTRIBUTED": {"states:StartExecution", "states:DescribeExecution", "states:StopExecution"},
}
OBSERVED_BY = ("logs:", "xray:")


def integrations(definition: dict[str, Any]) -> set[str]:
    """Return what the states of a machine do, by the names of Step Functions."""
    done = set[str]()
    for _, state, _ in states(definition):
        parts = [state, state.get("ItemReader", {}), state.get("ResultWriter", {})]
        done |= {part["Resource"].rpartition(":::")[2] for part in parts if "Resource" in part}
        done.add(state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode", "INLINE"))
    return done - {"INLINE"}


def statements(template: dict[str, Any], machine: str) -> list[set[str]]:
    """Return the actions of each statement of a machine's own policy and of those attached to its role."""
    documents = [*template["Resources"][machine]["Properties"]["Policies"]]
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy" and resource["Properties"]["Roles"] == [{"Ref": f"{machine}Role"}]:
            documents.append(resource["Properties"]["PolicyDocument"])
    actions = [statement["Action"] for document in documents for statement in document["Statement"]]
    return [{action} if isinstance(action, str) else set(action) for action in actions]


@pytest.mark.parametrize("machine", ["RetrainingStateMachine", "RelabellingStateMachine"])
def test_every_right_of_a_machine_is_asked_for_and_every_one_asked_for_is_given(
    template: dict[str, Any], machine: str
) -> None:
    path = template["Resources"][machine]["Properties"]["DefinitionUri"]
    done = integrations(json.loads((ROOT / path).read_text(encoding="utf-8")))
    asked = set[str]().union(*(ASKED_FOR[integration] for integration in done))
    given = {
        action for actions in statements(template, machine) for action in actions if not action.startswith(OBSERVED_BY)
    }
    assert given == asked
