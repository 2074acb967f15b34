"""Decide on the retraining of a model (EventBridge schedule, and the SNS topic of the alarms on models)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.data_classes import SNSEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining
from hindsight.bootstrap.fan_out import one_invocation_a_model
from hindsight.core.codec import to_plain
from hindsight.core.schedule import parse_scheduled_event, parse_scope
from hindsight.runtime.counters import count
from hindsight.triggers.decision import Decision
from hindsight.triggers.evaluation.alarm import parse_alarm

logger = Logger()
metrics = Metrics()
tracer = Tracer()


def concerns(event: dict[str, Any], model: str) -> bool:
    """Match an event against a model: a schedule asks for an evaluation of every model, an alarm of some."""
    if "Records" not in event:
        return True
    alarms = [parse_alarm(record.sns.message) for record in SNSEvent(event).records]
    return any(retraining.trigger_sweep().concerns(alarm, model) for alarm in alarms)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@one_invocation_a_model(concerns)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Evaluate a model's triggers at the event's time, or because of an alarm."""
    sweep = retraining.trigger_sweep()
    if "Records" not in event:
        return report([sweep.on_schedule(parse_scheduled_event(event))])
    model, notices = str(parse_scope(event).model), [record.sns for record in SNSEvent(event).records]
    alarms = [(parse_alarm(sns.message), sns.message_id) for sns in notices]
    return report([decision for alarm, message_id in alarms for decision in sweep.on_alarm(alarm, message_id, model)])


def report(decisions: list[Decision]) -> dict[str, Any]:
    """Count and log the decisions; the invocation's caller sees the same."""
    shown = [
        {
            "model": decision.model,
            "decision_id": decision.decision_id,
            "triggered": decision.triggered,
            "blocked_by": to_plain(decision.blocked_by),
            "open_run": decision.state.get("open_run"),
        }
        for decision in decisions
    ]
    wanted = [decision for decision in decisions if decision.active_signals]
    triggered = sum(decision.triggered for decision in wanted)
    count(metrics, {"RetrainingsTriggered": triggered, "RetrainingsBlocked": len(wanted) - triggered})
    logger.info("triggers_evaluated", extra={"decisions": shown})
    return {"decisions": shown}
