from typing import Any

import pytest

from local.template import load_template, resources_of

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    return load_template()


@pytest.fixture(scope="session")
def functions(template: dict[str, Any]) -> Resources:
    return {
        name: function["Properties"] for name, function in resources_of(template, "AWS::Serverless::Function").items()
    }


@pytest.fixture(scope="session")
def queues(template: dict[str, Any]) -> Resources:
    return {name: queue["Properties"] for name, queue in resources_of(template, "AWS::SQS::Queue").items()}


@pytest.fixture(scope="session")
def alarms(template: dict[str, Any]) -> Resources:
    return {name: alarm["Properties"] for name, alarm in resources_of(template, "AWS::CloudWatch::Alarm").items()}
