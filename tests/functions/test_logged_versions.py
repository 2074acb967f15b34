"""Versions that are logged beside a champion, through the handlers: monitored, tried out, promoted."""

import json
from datetime import timedelta

import pytest

from functions.evaluate_rollouts.app import handler as evaluate_rollouts
from functions.get_model.app import handler as get_model
from functions.monitor.app import handler as monitor
from hindsight.bootstrap import stores
from hindsight.monitoring.results.check import CheckKind, Verdict
from hindsight.registry.moves import AuditInfo, Servable, abort_rollout, start_rollout
from hindsight.registry.pointer import Change, RolloutMode
from tests.functions.conftest import FannedOut
from tests.functions.external import MODEL, START, Sample, configure, decide, log, run
from tests.functions.published import metric
from tests.functions.requests import request
from tests.unit.rollout.world import drawn, put, records

pytestmark = pytest.mark.usefixtures("deployed")


@pytest.fixture(autouse=True)
def configured(deployed: None) -> None:
    configure()


def test_version_beside_the_champion_is_monitored_and_listed_in_the_status(
    fanned_out: FannedOut, sample: Sample
) -> None:
    configure(performance={"metric": "accuracy"})
    log("ours-1", 1)
    log("ours-2", 1, rows=290)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 1.5)
    decide("/versions", version="ours-2", expected={"accuracy": 0.9})
    for day in (2, 12, 13):
        log("ours-1", day)
        log("ours-2", day, warmer=0.5 if day > 2 else 0.0)
    put(stores.lake(), records("ours-2", drawn(400, 0.4), START + timedelta(days=11)))
    for _ in range(2):
        run(monitor, fanned_out, sample, "monitor", 14)
    route = {"httpMethod": "GET", "resource": "/models/{model}", "path": f"/models/{MODEL}"}
    status = json.loads(request(get_model, "get_model", body=None, **route)["body"])
    assert status["champion"] == "ours-1"
    (beside,) = status["logged_versions"]
    assert beside["version"] == "ours-2"
    drift, performance = (beside["checks"][kind] for kind in ("drift", "performance"))
    assert (drift["verdict"], drift["champion"], drift["summary"]["baseline"]["rows"]) == ("drift", "ours-1", 290)
    assert (performance["verdict"], performance["summary"]["limit"]) == ("low", pytest.approx(0.85))
    assert status["checks"]["drift"]["model_version"] == "ours-1"
    listed = {"httpMethod": "GET", "resource": "/models", "path": "/models"}
    (entry,) = json.loads(request(get_model, "get_model", body=None, **listed)["body"])["models"]
    assert entry["attention"] == ["drift", "low_performance"]
    # An alarm on the model alone retrains, and is the champion's; those over all models ring for every version.
    of_model, of_version = (("Model", MODEL),), (("Model", MODEL), ("ModelVersion", "ours-2"))
    assert metric("LivePerformanceShortfall").keys() == {of_version, ()}
    assert metric("DriftDetected").keys() == {of_model, of_version, ()}
    asked = {"resource": "/models/{model}/checks", "path": f"/models/{MODEL}/checks"}
    for version, count in (("ours-2", 3), ("ours-1", 4)):
        query = {"queryStringParameters": {"version": version}}
        listed = json.loads(request(get_model, "get_model", body=None, **{**route, **asked, **query})["body"])["checks"]
        assert ({check["model_version"] for check in listed}, len(listed)) == ({version}, count)


def test_canary_of_a_version_that_answers_elsewhere_is_decided_on_its_logs(
    fanned_out: FannedOut, sample: Sample
) -> None:
    log("ours-1", 0)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 0.5)
    decide("/versions", version="ours-2")
    decide("/versions/ours-2/promote", reason="try it", strategy="canary")
    pointer = stores.registry().pointer(MODEL)
    assert pointer is not None
    assert pointer.rollout is not None
    stores.registry().move_pointer(MODEL, abort_rollout(pointer, AuditInfo(reason="again", actor="a", at=START)))
    started = AuditInfo(reason="try it", actor="key:operator", at=START + timedelta(days=1))
    pointer = stores.registry().pointer(MODEL)
    assert pointer is not None
    challenger = Servable(version="ours-2", artifact_key="", artifact_digest="")
    stores.registry().move_pointer(MODEL, start_rollout(pointer, challenger, RolloutMode.CANARY, 0.1, started))
    # What the champion is worth is first seen live; labels that come after it are evidence.
    for day, first in ((1, 1), (4, 10_001)):
        since = START + timedelta(days=day)
        answered = records("ours-2", drawn(600, 0.95, seed=day), since, first=first)
        others = records("ours-1", drawn(5400, 0.88, seed=day + 1), since, first=first)
        put(stores.lake(), [*answered, *others])
        run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", day + 3)
    newest = stores.registry().deployments(MODEL, 1)[0]
    assert (newest.change, newest.from_version, newest.to_version) == (Change.PROMOTED, "ours-1", "ours-2")
    assert newest.actor == "rollout_evaluation"


def test_estimates_of_an_external_champion_follow_its_own_labels(fanned_out: FannedOut, sample: Sample) -> None:
    configure(performance={"metric": "accuracy"})
    log("ours-1", 8)
    run(evaluate_rollouts, fanned_out, sample, "evaluate_rollouts", 9)
    put(stores.lake(), records("ours-1", drawn(600, 0.7), START + timedelta(days=6)))
    run(monitor, fanned_out, sample, "monitor", 9)
    check = stores.check_store().latest(MODEL, CheckKind.ESTIMATE)
    assert check is not None
    assert (check.verdict, check.summary["fitted_on"]) == (Verdict.OK, 600)
    assert "estimated accuracy" in check.reason
