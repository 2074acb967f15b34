from collections.abc import Callable
from typing import Any

from functions.monitor.app import handler
from hindsight.bootstrap import stores
from hindsight.monitoring.results.check import CheckKind, Verdict
from tests.functions.conftest import Context
from tests.functions.published import metric
from tests.functions.test_monitor import MODEL, serve

Sample = Callable[[str], dict[str, Any]]


def test_suspect_verdict_is_shown_and_counted_and_rings_no_alarm(
    deployed: None, sample: Sample, context: Context
) -> None:
    serve(MODEL, temperature=0.0, accuracy=0.84)
    checks = handler(sample("monitor"), context)["checks"]
    found = {check["kind"]: check["verdict"] for check in checks}
    assert (found["performance"], found["drift"]) == ("suspect", "ok")
    stored = stores.check_store().latest(MODEL, CheckKind.PERFORMANCE)
    assert stored is not None
    assert stored.verdict is Verdict.SUSPECT
    suspected = [kind for kind, verdict in found.items() if verdict == "suspect"]
    counted = {(("Check", kind), ("Model", MODEL)): 1.0 for kind in suspected}
    assert {tuple(sorted(key)): value for key, value in metric("SuspectVerdicts").items()} == counted
    assert metric("LivePerformanceShortfall") == {}
