"""A feature that the configuration drops is watched for as long as the champion reads it."""

import json
from collections.abc import Callable
from typing import Any

import boto3

from functions.monitor.app import handler as monitor
from functions.profile_predictions.app import handler as profile
from hindsight.bootstrap import stores
from hindsight.lake.object_store import PREDICTIONS
from hindsight.monitoring.results.check import CheckKind
from hindsight.testing.builders.configuration import configuration, document
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.builders.versions import version_record
from tests.functions.conftest import Context
from tests.functions.test_monitor import MODEL, NOW, serve

Sample = Callable[[str], dict[str, Any]]


def drop_temperature() -> None:
    stores.registry().put_version(MODEL, version_record("v1", NOW, configuration_revision=1))
    left = {name: kind for name, kind in document()["features"].items() if name != "temperature"}
    stores.configurations().put(configuration(features=left), NOW)


def profile_again(sample: Sample, context: Context) -> None:
    """Profile the log of the predictions anew, as it is when one of its objects is announced again."""
    bucket: Any = boto3.resource("s3").Bucket("lake")
    bucket.objects.filter(Prefix="profiles/").delete()
    [key] = [one.key for one in bucket.objects.filter(Prefix=f"{PREDICTIONS}/model={MODEL}/")]
    body = json.loads((event := sample("profile_predictions"))["Records"][0]["body"])
    body["Records"][0]["s3"]["object"]["key"] = key
    answer = profile({"Records": [{**event["Records"][0], "body": json.dumps(body)}]}, context)
    assert answer == {"batchItemFailures": []}


def drift_of(sample: Sample, context: Context) -> dict[str, Any]:
    monitor(sample("monitor"), context)
    check = stores.check_store().latest(MODEL, CheckKind.DRIFT)
    assert check is not None
    found: dict[str, Any] = json.loads(stores.lake().read_bytes(str(check.report_key)))["report"]["features"]
    return found


def test_drift_of_a_dropped_feature_is_found_while_the_champion_reads_it(
    deployed: None, sample: Sample, context: Context
) -> None:
    serve(MODEL, temperature=0.4, accuracy=0.9)
    drop_temperature()
    profile_again(sample, context)
    features = drift_of(sample, context)
    assert set(features) == {"hour", "holiday", "temperature"}
    assert features["temperature"]["verdict"] == "drift"


def test_dropped_feature_that_no_champion_reads_is_watched_no_more(
    deployed: None, sample: Sample, context: Context
) -> None:
    serve(MODEL, temperature=0.4, accuracy=0.9)
    drop_temperature()
    stores.registry().put_version(MODEL, version_record("v2", NOW, configuration_revision=2))
    pointer = stores.registry().pointer(MODEL)
    assert pointer is not None
    stores.registry().move_pointer(MODEL, promoted("v2", NOW, pointer))
    profile_again(sample, context)
    assert set(drift_of(sample, context)) == {"hour", "holiday"}
