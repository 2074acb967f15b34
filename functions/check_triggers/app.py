"""Decide on the retraining of a model (EventBridge schedule, and the SNS topic of the alarms on models)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining
from hindsight.bootstrap.fan_out import one_invocation_a_model
from hindsight.core.codec import to_plain
from hindsight.runtime.counters import count
from hindsight.runtime.events.alarms import is_notification, parse_alarms
from hindsight.runtime.events.schedules import parse_scheduled_event, parse_scope
from hindsight.runtime.handler import event_handler, logger, metrics
from hindsight.triggers.decision import Decision


def concerns(event: dict[str, Any], model: str) -> bool:
    """Match an event against a model: a schedule asks for an evaluation of every model, an alarm of some."""
    if not is_notification(event):
        return True
    return any(retraining.trigger_sweep().concerns(alarm, model) for alarm, _ in parse_alarms(event))


@event_handler
@one_invocation_a_model(concerns)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Evaluate a model's triggers at the event's time, or because of an alarm."""
    sweep = retraining.trigger_sweep()
    if not is_notification(event):
        return report([sweep.on_schedule(parse_scheduled_event(event))])
    model, alarms = str(parse_scope(event).model), parse_alarms(event)
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
