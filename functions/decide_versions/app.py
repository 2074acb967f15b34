"""Take a person's decision on a version: approve, reject, override the gate, promote, roll back (POST)."""

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import retraining, stores
from hindsight.rollout.approval.approval import Answer
from hindsight.rollout.approval.body import AnswerBody, read_answer
from hindsight.runtime.counters import count
from hindsight.runtime.handler import http_handler, logger, metrics
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import (
    actor_of,
    identifier,
    model_name,
    read_json,
    read_optional_json,
    requested_at,
)
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

api = create_api()


@api.post("/models/<model>/versions/<version>/approve")
def approve(model: str, version: str) -> Response[str]:
    """Let a run deploy the version, or put one into service that the gate rejected."""
    of, name = model_name(model), identifier(version, "version")
    body = read_answer(read_optional_json(api.current_event, max_bytes=MAX_REQUEST_BYTES))
    stores.configurations().current(of)  # raises ModelRetired: nothing goes into service there
    if not body.override:
        return _answer_run(of, name, _answer(body, approved=True))
    deployment = retraining.overrides().take(of, name, _answer(body, approved=True))
    logger.info("gate_overridden", extra={"model": of, "version": name})
    return answer(200, {"version": name, "override": True, "deployment": deployment.to_plain()})


@api.post("/models/<model>/versions/<version>/reject")
def reject(model: str, version: str) -> Response[str]:
    """End a run that waits; the champion stays."""
    of, name = model_name(model), identifier(version, "version")
    body = read_answer(read_optional_json(api.current_event, max_bytes=MAX_REQUEST_BYTES))
    return _answer_run(of, name, _answer(body, approved=False))


@api.post("/models/<model>/versions/<version>/promote")
def promote(model: str, version: str) -> Response[str]:
    """Make a version the champion by hand."""
    event, of, name = api.current_event, model_name(model), identifier(version, "version")
    body = read_json(event, max_bytes=MAX_REQUEST_BYTES)
    made = retraining.promotions().take(of, name, body, now=requested_at(event), actor=actor_of(event))
    logger.info("version_promoted", extra={"model": of, "version": name})
    return answer(200, made.to_plain())


@api.post("/models/<model>/rollback")
def roll_back(model: str) -> Response[str]:
    """Roll the champion back to an earlier version."""
    event, name = api.current_event, model_name(model)
    body = read_json(event, max_bytes=MAX_REQUEST_BYTES)
    made = retraining.rollbacks().take(name, body, now=requested_at(event), actor=actor_of(event))
    logger.info("champion_rolled_back", extra={"model": name, "from": made.from_version, "to": made.to_version})
    count(metrics, {"Rollbacks": 1}, Model=name)
    return answer(200, made.to_plain())


handler = http_handler(api)


def _answer(body: AnswerBody, *, approved: bool) -> Answer:
    event, trust = api.current_event, stores.client_timestamps()
    return body.answer(approved=approved, actor=actor_of(event), now=requested_at(event), trust=trust)


def _answer_run(model: str, version: str, given: Answer) -> Response[str]:
    recorded = retraining.approval_answers().take(model, version, given)
    return answer(200, {"version": version, **recorded.to_plain()})
