from typing import Any

from local.template import resources_of
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


def test_apps_cannot_use_up_what_people_need(template: dict[str, Any]) -> None:
    plans = resources_of(template, "AWS::ApiGateway::UsagePlanKey")
    of_apps = {
        key["Properties"]["UsagePlanId"]["Ref"] for key in plans.values() if "App" in key["Properties"]["KeyId"]["Ref"]
    }
    assert of_apps == {"AppPlan"}


def test_whatever_works_off_a_queue_is_bounded_and_leaves_room_for_the_api(functions: Resources) -> None:
    for name, function in functions.items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                assert 2 <= event["Properties"]["ScalingConfig"]["MaximumConcurrency"] <= 10, name


def test_what_waits_in_a_queue_waits_longer_than_a_weekend(queues: Resources) -> None:
    for name, queue in queues.items():
        assert queue["MessageRetentionPeriod"] >= 4 * 86_400, name
