from pathlib import Path
from typing import Any

from local.preflight.quotas import consumers_of, relabelling_workers
from local.template import resources_of
from local.transformed import deployment
from tests.template.conftest import Resources


def test_every_key_is_of_a_plan_that_bounds_how_often_it_is_used(template: dict[str, Any]) -> None:
    plans = resources_of(template, "AWS::ApiGateway::UsagePlan")
    for name, plan in plans.items():
        assert plan["Properties"]["Throttle"].keys() == {"RateLimit", "BurstLimit"}, name
    keys = resources_of(template, "AWS::ApiGateway::ApiKey")
    planned = {
        key["Properties"]["KeyId"]["Ref"]: key["Properties"]["UsagePlanId"]["Ref"]
        for key in resources_of(template, "AWS::ApiGateway::UsagePlanKey").values()
    }
    assert planned.keys() == keys.keys()
    assert set(planned.values()) == plans.keys()


def test_apps_cannot_use_up_the_throttle_of_operators(template: dict[str, Any]) -> None:
    plans = resources_of(template, "AWS::ApiGateway::UsagePlanKey")
    of_apps = {
        key["Properties"]["UsagePlanId"]["Ref"] for key in plans.values() if "App" in key["Properties"]["KeyId"]["Ref"]
    }
    assert of_apps == {"AppPlan"}


def consumers(parameters: dict[str, str] | None = None) -> dict[str, int]:
    """Count the invocations that each queue may hold at once."""
    mappings = deployment(parameters).of("AWS::Lambda::EventSourceMapping")
    return {
        name: int(mapping["ScalingConfig"]["MaximumConcurrency"])
        for name, mapping in mappings.items()
        if ":sqs:" in mapping["EventSourceArn"]
    }


def test_consumer_of_a_queue_has_the_lowest_concurrency_unless_a_parameter_raises_it() -> None:
    assert set(consumers().values()) == {2}
    raised = consumers({"ConsumerConcurrency": "40"})
    assert {name for name, most in raised.items() if most != 40} == {"ProfilePredictionsFunctionLogObjects"}


def test_page_for_deployers_gives_the_consumers_share_of_a_new_account_s_concurrency() -> None:
    streams, queues = consumers_of(deployment()) - sum(consumers().values()), sum(consumers().values())
    page = (Path(__file__).parents[2] / "docs/deploying.md").read_text(encoding="utf-8")
    assert f"{streams} invocations for the two streams and {queues} for the {len(consumers())} queues" in page
    assert f"{relabelling_workers(deployment())} for a relabelling" in page


def test_messages_stay_in_a_queue_longer_than_a_weekend(queues: Resources) -> None:
    for name, queue in queues.items():
        assert queue["MessageRetentionPeriod"] >= 4 * 86_400, name
