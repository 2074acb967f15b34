"""A model with a past: three versions, a champion, and a month of checks of which the last one is bad."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.adapters.models_table.check_table import DynamoChecks
from hindsight.monitoring.results.check import Check, CheckKind, Verdict, report_key
from local.client import StackClient

DAYS = 30


def model_with_a_past(client: StackClient, model: str) -> None:
    configuration = {
        "model": model,
        "task": "binary",
        "serving": "external",
        "features": {"age": {"type": "numeric"}, "plan": {"type": "categorical"}},
        "labels": {"rules": [{"event": "annotation", "kind": "manual"}, {"event": "churn", "window": "P30D"}]},
    }
    client.call("PUT", f"models/{model}", key="operator", json=configuration)
    row: dict[str, Any] = {
        "prediction_id": "p/1 <b>",
        "features": {"age": 41, "plan": "<i>plus</i>"},
        "score": 0.7,
        "decision": 1,
        "model_version": "ours-1",
    }
    client.call("POST", f"models/{model}/predictions", key="app", json={"predictions": [row]})
    for version in ("ours-1", "ours-2", "ours-3"):
        body = {"version": version, "expected": {"roc_auc": 0.9}, "description": "made elsewhere"}
        client.call("POST", f"models/{model}/versions", key="operator", json=body)
    for version in ("ours-1", "ours-2"):
        _promote(client, model, version)
    _keep_checks(client, model)


def _promote(client: StackClient, model: str, version: str) -> None:
    body = {"reason": f"{version} is better"}
    client.call("POST", f"models/{model}/versions/{version}/promote", key="operator", json=body)


def _keep_checks(client: StackClient, model: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    store = DynamoChecks(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    for day in range(DAYS):
        at = now - timedelta(days=DAYS - 1 - day)
        value = round(0.9 + 0.01 * math.sin(day / 3) - 0.004 * max(0, day - 18), 4)
        bounds: dict[str, Any] = {
            "value": value,
            "lower": value - 0.02,
            "upper": value + 0.02,
            "limit": 0.86,
            "metric": "roc_auc",
        }
        estimate = bounds | {name: bounds[name] + 0.012 for name in ("value", "lower", "upper")}
        low = Verdict.LOW if value < 0.86 else Verdict.OK
        drifts = Verdict.DRIFT if day in (20, 21, 29) else Verdict.OK
        why = f"roc_auc {value} against the limit 0.86"
        found: tuple[tuple[CheckKind, Verdict, str, dict[str, Any]], ...] = (
            (CheckKind.PERFORMANCE, low, why, bounds),
            (CheckKind.ESTIMATE, Verdict.OK, f"estimated roc_auc {estimate['value']:.3f}", estimate),
            (CheckKind.DRIFT, drifts, "1 of 2 features drift", {}),
        )
        for kind, verdict, reason, summary in found:
            key = report_key(model, kind, at)
            check = Check(
                model=model,
                kind=kind,
                at=at,
                verdict=verdict,
                reason=reason,
                model_version="ours-2",
                summary=summary,
                report_key=key,
            )
            client.lake.write_bytes(key, json.dumps(check.to_plain()).encode(), "application/json")
            store.put(check)
