"""CloudWatch alarms, as an SNS topic delivers them."""

from collections.abc import Iterator, Mapping
from typing import Any

from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput
from hindsight.core.times import parse_time
from hindsight.triggers.evaluation.alarm import Alarm

MODEL_DIMENSION = "Model"


def is_notification(event: Mapping[str, Any]) -> bool:
    """Distinguish a topic's notification from a scheduled event."""
    return "Records" in event


def parse_alarms(event: Mapping[str, Any]) -> list[tuple[Alarm, str]]:
    """Read the alarms of an SNS event, each with its message's id. Raises InvalidInput."""
    notices = [record["Sns"] for record in event["Records"]]
    return [(parse_alarm(notice["Message"]), notice["MessageId"]) for notice in notices]


def parse_alarm(message: str) -> Alarm:
    """Read the alarm in an SNS message. Raises InvalidInput for any other message."""
    body = compact_json.loads(message)
    if not isinstance(body, dict) or not isinstance(body.get("AlarmName"), str):
        raise InvalidInput("the message is not a CloudWatch alarm")
    return Alarm(
        name=body["AlarmName"],
        state=str(body.get("NewStateValue")),
        changed_at=parse_time(body.get("StateChangeTime")),
        reason=str(body.get("NewStateReason") or ""),
        metric=next(_metrics(body.get("Trigger")), None),
        model=next(_models(body.get("Trigger")), None),
    )


def _metrics(trigger: object) -> Iterator[str]:
    """List the names of an alarm's metric, or of the metrics in its expression."""
    yield from (str(metric["MetricName"]) for metric in _parts(trigger) if metric.get("MetricName"))


def _models(trigger: object) -> Iterator[str]:
    """List the models in the dimensions of an alarm's metric, or of the metrics in its expression."""
    for dimension in (dimension for metric in _parts(trigger) for dimension in metric.get("Dimensions") or []):
        # CloudWatch writes its own messages with small letters, its API answers with capitals.
        named = {key.lower(): value for key, value in dimension.items()}
        if named.get("name") == MODEL_DIMENSION:
            yield str(named.get("value"))


def _parts(trigger: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(trigger, Mapping):
        yield trigger
        yield from ((query.get("MetricStat") or {}).get("Metric") or {} for query in trigger.get("Metrics") or [])
