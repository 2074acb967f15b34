"""Limits of API Gateway, Lambda and Step Functions in account mode, and the start time of a new worker."""

import json
import time
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from bench.account.mode.settings import KIB, MIB
from local.forked.patching import EmulatorChanged, replace
from tests.account.conftest import MODE, Account, eventually


@pytest.fixture(scope="module")
def url(account: Account) -> str:
    """An API with one route, whose function does what its event asks."""
    return api_of(account, account.function())


def api_of(account: Account, function: str) -> str:
    """Put an API with one route before a function."""
    gateway = account.aws("apigateway")
    api = gateway.create_rest_api(name="probe")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="POST", authorizationType="NONE")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
    gateway.put_integration(
        restApiId=api,
        resourceId=root,
        httpMethod="POST",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
    )
    gateway.create_deployment(restApiId=api, stageName="v1")
    account.aws("lambda").add_permission(
        FunctionName=function, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    return f"{account.endpoint_url}/_aws/execute-api/{api}/v1/"


def test_answer_that_takes_too_long_is_given_up_on(url: str) -> None:
    requests.post(url, json={}, timeout=30)
    began = time.monotonic()
    answer = requests.post(url, json={"sleep": 2 * MODE.integration_seconds}, timeout=30)
    assert time.monotonic() - began < 2 * MODE.integration_seconds
    assert (answer.status_code, answer.json()) == (504, {"message": "Endpoint request timed out"})


@pytest.mark.parametrize("body", [{"fail": "hunter2"}, {"returns": "hunter2"}, {"returns": None}])
def test_function_that_fails_or_answers_in_no_form_is_a_502_without_its_words(url: str, body: dict[str, Any]) -> None:
    answer = requests.post(url, json=body, timeout=30)
    assert (answer.status_code, answer.json()) == (502, {"message": "Internal server error"})
    assert answer.headers["x-amzn-errortype"] == "InternalServerErrorException"


def test_function_that_runs_out_of_its_own_time_is_a_502(account: Account) -> None:
    function = account.function()
    account.aws("lambda").update_function_configuration(FunctionName=function, Timeout=1)
    account.invoke(function)
    answer = requests.post(api_of(account, function), json={"sleep": 1.5}, timeout=30)
    assert (answer.status_code, answer.json()) == (502, {"message": "Internal server error"})


def test_invocation_that_lambda_refuses_is_a_500(account: Account) -> None:
    function = account.function()
    url = api_of(account, function)
    account.aws("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    answer = requests.post(url, json={}, timeout=30)
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal server error"})


def test_failure_is_answered_by_the_gateway_response_of_the_api(account: Account) -> None:
    url = api_of(account, account.function())
    gateway, api = account.aws("apigateway"), url.split("/")[-3]
    template = {"application/json": '{"error":$context.error.messageString}'}
    for kind, status in (("INTEGRATION_FAILURE", "503"), ("INTEGRATION_TIMEOUT", "504")):
        gateway.put_gateway_response(restApiId=api, responseType=kind, statusCode=status, responseTemplates=template)
    gateway.create_deployment(restApiId=api, stageName="v1")
    failed = requests.post(url, json={"fail": "hunter2"}, timeout=30)
    late = requests.post(url, json={"sleep": 2 * MODE.integration_seconds}, timeout=30)
    assert (failed.status_code, failed.json()) == (503, {"error": "Internal server error"})
    assert (late.status_code, late.json()) == (504, {"error": "Endpoint request timed out"})


@pytest.mark.parametrize(("body", "status"), [({"answer": 5 * MIB}, 200), ({"answer": 7 * MIB}, 502)])
def test_answer_larger_than_lambda_gives_is_a_502(url: str, body: dict[str, Any], status: int) -> None:
    assert requests.post(url, json=body, timeout=30).status_code == status


def test_request_is_measured_as_it_is_escaped(url: str) -> None:
    quotes = '"' * (2 * MIB)
    assert requests.post(url, data=json.dumps({"text": "x" * (5 * MIB)}), timeout=30).status_code == 200
    # Two megabytes of quotes are four in the body and eight in Lambda's event.
    assert requests.post(url, data=json.dumps({"text": quotes}), timeout=30).status_code == 413


@pytest.mark.parametrize(("kind", "size"), [("RequestResponse", 6 * MIB), ("Event", MIB)])
def test_direct_invocation_has_a_size(account: Account, kind: str, size: int) -> None:
    function, functions = account.function(), account.aws("lambda")
    with pytest.raises(ClientError) as refused:
        functions.invoke(FunctionName=function, InvocationType=kind, Payload=json.dumps({"text": "x" * size}).encode())
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def run(account: Account, states: dict[str, Any], given: Any) -> dict[str, Any]:
    """Run a state machine to its end."""
    machines = account.aws("stepfunctions")
    role = account.role({"Action": "lambda:InvokeFunction", "Resource": "*"})
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    arn = machines.create_state_machine(name=f"m-{time.monotonic_ns()}", definition=definition, roleArn=role)
    begun = machines.start_execution(stateMachineArn=arn["stateMachineArn"], input=json.dumps(given))["executionArn"]

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = machines.describe_execution(executionArn=begun)
        return found if found["status"] != "RUNNING" else None

    seen: dict[str, Any] = eventually(ended)
    return seen


def test_state_takes_and_gives_256_kilobytes(account: Account) -> None:
    passes = {"One": {"Type": "Pass", "End": True}}
    assert run(account, passes, "x" * (255 * KIB))["status"] == "SUCCEEDED"
    resource = f"arn:aws:lambda:us-east-1:000000000000:function:{account.function()}"
    ended = run(account, {"One": {"Type": "Task", "Resource": resource, "End": True}}, {"answer": 300 * KIB})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


@pytest.mark.parametrize("most", [{"MaxItemsPerBatch": 2}, {"MaxItemsPerBatchPath": "$.most"}])
def test_distributed_map_hands_items_out_in_batches(account: Account, most: dict[str, Any]) -> None:
    within = {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}}
    process = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **within}
    items = {"ItemsPath": "$.keys", "ItemSelector": {"key.$": "$$.Map.Item.Value"}}
    state = {"Type": "Map", "ItemProcessor": process, **items, "ItemBatcher": most, "End": True}
    ended = run(account, {"Many": state}, {"keys": ["a", "b", "c"], "most": 2})
    assert json.loads(ended["output"]) == [{"Items": [{"key": "a"}, {"key": "b"}]}, {"Items": [{"key": "c"}]}]


@pytest.mark.parametrize(("turns", "status"), [(8, "SUCCEEDED"), (30, "FAILED")])
def test_history_of_events_has_an_end(account: Account, turns: int, status: str) -> None:
    turn = {"Type": "Pass", "End": True}
    states = {f"Turn{number}": {"Type": "Pass", "Next": f"Turn{number + 1}"} for number in range(turns)}
    assert run(account, states | {f"Turn{turns}": turn}, {})["status"] == status


def test_new_worker_takes_the_time_of_its_layers(account: Account) -> None:
    heavy = account.function(logical_id="HeavyFunction")
    began = time.monotonic()
    account.invoke(heavy)
    first, began = time.monotonic() - began, time.monotonic()
    account.invoke(heavy)
    assert first >= 1.2
    assert time.monotonic() - began < 1.0


def test_upgrade_that_changes_a_replaced_function_fails_loudly() -> None:
    class Emulator:
        @staticmethod
        def put(record: bytes, more: int) -> None: ...

    with pytest.raises(EmulatorChanged, match="takes record more, not record"):
        replace(Emulator, "put", "record", lambda original: original)
    with pytest.raises(EmulatorChanged, match="get is not in this version"):
        replace(Emulator, "get", "record", lambda original: original)
