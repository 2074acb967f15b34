"""Subscriptions of the operations topic, by which alarms reach a person."""

from collections.abc import Iterator

from local.preflight.check import Account, Check, Verdict
from local.preflight.stack import physical_id
from local.transformed import Deployment

_CONFIRM = "open the message “AWS Notification - Subscription Confirmation” and confirm"


def check_notifications(account: Account, deployment: Deployment) -> Iterator[Check]:
    """Check that the alarms have a confirmed subscription."""
    address = deployment.parameters.get("NotificationEmail", "")
    subscriptions = list(_subscriptions(account, deployment))
    pending = [one["Endpoint"] for one in subscriptions if one["SubscriptionArn"] == "PendingConfirmation"]
    confirmed = [one["Endpoint"] for one in subscriptions if one["SubscriptionArn"].startswith("arn:")]
    if pending:
        mend = f"{_CONFIRM}; until then alarms ring unheard"
        yield Check("Alarms by mail", Verdict.WARNING, f"not confirmed yet: {', '.join(pending)}", mend)
    elif confirmed:
        yield Check("Alarms by mail", Verdict.OK, f"alarms reach {', '.join(confirmed)}")
    elif address:
        yield Check("Alarms by mail", Verdict.OK, f"{address} will be asked to subscribe", _CONFIRM)
    else:
        mend = "deploy with NotificationEmail=you@example.org, or subscribe Slack: docs/alerts.md"
        yield Check("Alarms by mail", Verdict.WARNING, "no person would hear an alarm", mend)


def _subscriptions(account: Account, deployment: Deployment) -> Iterator[dict[str, str]]:
    topic = physical_id(account, deployment.place.stack_name, "OperationsTopic")
    if topic is not None:
        for page in account.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
            yield from page["Subscriptions"]
