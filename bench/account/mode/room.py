"""The room an account has for functions, and who waits how long for it.

A caller who waits for the answer is refused at once: Lambda's 429, which API Gateway makes a 5xx of. What comes
asynchronously waits up to six hours, a message of a queue until it is visible again, a stream as long as it must.
"""

import contextvars
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from ministack.services import eventbridge, lambda_svc, sns, sqs

from local.forked.patching import replace, require

ASYNCHRONOUS_SECONDS = 6 * 3600.0
_PAUSE_SECONDS, _LARGEST_PAUSE_SECONDS = 0.2, 2.0

# How long the invocation of this context waits for room.
_patience: contextvars.ContextVar[float] = contextvars.ContextVar("patience", default=0.0)


def install() -> None:
    """Make invocations wait for room, or not, as their kind does."""
    require(lambda_svc, "_get_func_record_for_ref", "_execution_record_for_config", "_throttle_response")
    require(sqs, "_queues")
    replace(lambda_svc, "_execute_function", "func event", _waiting)
    replace(lambda_svc, "_throttle_response", "reason_code msg retry_after", _named)
    replace(lambda_svc, "invoke_async_with_retry", "func event", partial(patient, ASYNCHRONOUS_SECONDS))
    replace(lambda_svc, "_run_sqs_batch", "esm func_rec event batch queue_url queue_name", _until_visible)
    # The emulator hands over ten messages at most; AWS as many as the mapping allows, where it has a batching window.
    replace(sqs, "_receive_messages_for_esm", "queue_url max_number", _gathered)
    # The emulator invokes for these at once and once; AWS hands them over to Lambda's asynchronous invocation.
    replace(eventbridge, "_dispatch_to_lambda", "arn payload", _asynchronously)
    replace(
        sns,
        "_deliver_to_lambda",
        "endpoint envelope topic_arn sub_arn msg_id raw_message message_attributes",
        _delivered_asynchronously,
    )


def patient(seconds: float, call: Callable[..., Any]) -> Callable[..., Any]:
    """Make a call whose invocations, in its own threads too, wait so long for room."""

    def with_patience(*arguments: Any) -> Any:
        token = _patience.set(seconds)
        try:
            return call(*arguments)
        finally:
            _patience.reset(token)

    return with_patience


def _waiting(original: Any) -> Any:
    def execute(func: Any, event: Any) -> Any:
        deadline, pause = time.monotonic() + _patience.get(), _PAUSE_SECONDS
        while (result := original(func, event)).get("throttle") and time.monotonic() + pause < deadline:
            time.sleep(pause)
            pause = min(_LARGEST_PAUSE_SECONDS, 2 * pause)
        return result

    return execute


def _named(original: Any) -> Any:
    """Name the throttle as Step Functions does, whose retries are for errors by name."""

    def throttle(reason_code: str, msg: str, retry_after: int = 1) -> Any:
        result = original(reason_code=reason_code, msg=msg, retry_after=retry_after)
        result["body"]["errorType"] = "Lambda.TooManyRequestsException"
        return result

    return throttle


def _until_visible(original: Any) -> Any:
    def run(*arguments: Any) -> Any:
        queue = sqs._queues[arguments[4]]
        return patient(float(queue["attributes"].get("VisibilityTimeout", 30)), original)(*arguments)

    return run


def _gathered(original: Any) -> Any:
    def receive(queue_url: str, max_number: int) -> list[Any]:
        found: list[Any] = original(queue_url, max_number)
        while found and len(found) < max_number and (more := original(queue_url, max_number - len(found))):
            found += more
        return found

    return receive


def _asynchronously(_: Any) -> Any:
    def dispatch(arn: str, payload: str) -> None:
        _invoke(arn, json.loads(payload))

    return dispatch


def _delivered_asynchronously(_: Any) -> Any:
    def deliver(endpoint: str, envelope: str, _topic: str, sub_arn: str, *_: Any) -> None:
        record = {"EventVersion": "1.0", "EventSubscriptionArn": sub_arn, "EventSource": "aws:sns"}
        _invoke(endpoint, {"Records": [{**record, "Sns": json.loads(envelope)}]})

    return deliver


def _invoke(arn: str, event: Any) -> None:
    func, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if func and config:
        lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(func, config), event)
