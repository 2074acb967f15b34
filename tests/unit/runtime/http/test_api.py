import json
from typing import Any

import pytest

from hindsight.core.errors import (
    Conflict,
    Fault,
    HindsightError,
    InvalidInput,
    NoModel,
    NotFound,
    StaleRun,
    TooLarge,
    Unavailable,
    UnsupportedType,
    UnusableArtifact,
    UnusableDataset,
)
from hindsight.runtime.http.api import answer, create_api
from tests.functions.conftest import EVENTS, Context

SECRET = "s3://lake/models/hunter2"


def ask(
    error: Exception | None = None, path: str = "/v1/models/m/predict", *, size: int = 1, character: str = "m"
) -> tuple[int, dict[str, Any], str]:
    """Call a route that raises, or answers so much; give the status, the headers and the raw body."""
    api = create_api()

    @api.post("/models/<model>/predict")
    def route(model: str) -> Any:
        if error is not None:
            raise error
        return answer(200, {"model": character * size})

    event = json.loads((EVENTS / "predict.json").read_text())
    answered = api.resolve({**event, "path": path}, Context())  # type: ignore[arg-type]
    return answered["statusCode"], answered["multiValueHeaders"], answered["body"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput, 400),
        (NotFound, 404),
        (Conflict, 409),
        (StaleRun, 409),
        (NoModel, 409),
        (TooLarge, 413),
        (UnsupportedType, 415),
        (Unavailable, 503),
        (UnusableDataset, 500),
        (UnusableArtifact, 500),
        (HindsightError, 500),
    ],
)
def test_every_error_has_its_status_and_its_code(error: type[HindsightError], status: int) -> None:
    answered, headers, body = ask(error("what went wrong"))
    found = json.loads(body)["error"]
    assert (answered, found["code"]) == (status, error.code)
    assert (found["message"] == "what went wrong") == (status != 500)
    assert set(found) == {"code", "message", "details"}
    assert headers["x-request-id"]
    assert headers["Content-Type"] == ["application/json"]


def test_every_path_at_fault_is_named() -> None:
    _, _, body = ask(InvalidInput("bad", (Fault("events[0].value", "is required"), Fault("events[1]", "is no object"))))
    assert json.loads(body)["error"]["details"] == [
        {"path": "events[0].value", "message": "is required"},
        {"path": "events[1]", "message": "is no object"},
    ]


def test_error_names_no_more_paths_and_no_longer_ones_than_an_answer_can_carry() -> None:
    faults = tuple(Fault(f"items[0].{number}{'x' * 10_000}", "is not declared") for number in range(5_000))
    _, _, body = ask(InvalidInput("y" * 100_000, faults))
    assert len(body) < 100_000
    assert json.loads(body)["error"]["details"][-1] == {"path": "", "message": "4900 more"}


@pytest.mark.parametrize(("characters", "status"), [(5_900_000, 200), (6_100_000, 413)])
def test_answer_that_lambda_would_not_hand_on_is_refused(characters: int, status: int) -> None:
    assert ask(size=characters)[0] == status
    assert ask(size=characters // 4, character='"')[0] == status  # each is escaped, and its backslash as well


@pytest.mark.parametrize("error", [ValueError(SECRET), KeyError(SECRET), UnusableArtifact(SECRET), RuntimeError()])
def test_internal_error_reveals_nothing_of_its_cause(error: Exception) -> None:
    status, headers, body = ask(error)
    assert status == 500
    assert headers["x-request-id"]
    for leak in ("hunter2", "Traceback", "Error", "test_api"):
        assert leak not in body


def test_the_cause_of_an_unexpected_error_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    ask(ValueError("the cause"))
    [record] = [record for record in caplog.records if record.exc_info]
    assert "the cause" in str(record.exc_info)


def test_an_answer_and_an_unknown_address_carry_the_request_id() -> None:
    for path, expected in (("/v1/models/m/predict", 200), ("/models/m/predict", 200), ("/v1/nothing", 404)):
        status, headers, _ = ask(path=path)
        assert (status, bool(headers["x-request-id"])) == (expected, True)
