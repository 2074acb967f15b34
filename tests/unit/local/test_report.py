from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hindsight.config.model import ModelConfiguration
from hindsight.core.times import format_time
from local.replay.report import Evidence, Story, write_report
from tests.unit.local.files import START, configuration

SUMMARY: dict[str, Any] = {
    "metric": "accuracy",
    "live": {"2026-01": 0.9, "2026-02": 0.85},
    "static": {"2026-01": 0.9},
    "persistence": {},
    "live_mean": 0.875,
    "live_min": 0.85,
    "static_mean": 0.9,
    "static_min": 0.9,
    "persistence_mean": None,
    "promotions": 1,
    "rejections": 0,
    "blocked": 1,
    "predictions": 10,
    "labels": 1234,
    "lost": 0,
    "seconds": 1.0,
}
SIGNAL = {"kind": "schedule", "active": True}
STARTED = {
    "at": format_time(START),
    "triggered": True,
    "signals": [SIGNAL],
    "outcome": "promoted",
    "outcome_version": "v1",
}
BLOCKED = {"at": format_time(START), "triggered": False, "signals": [], "blocked_by": [{"code": "cooldown"}]}
STORY = Story("A title", "A subtitle", ("A note",))


def page(
    folder: Path, evidence: Evidence, story: Story = STORY, configured: ModelConfiguration | None = None, **changes: Any
) -> str:
    path = write_report(folder / "new", story, {**SUMMARY, **changes}, evidence, configured or configuration())
    assert (folder / "new" / "accuracy.png").stat().st_size > 1000
    return path.read_text(encoding="utf-8")


def test_a_report_without_checks_decisions_or_versions_is_whole(tmp_path: Path) -> None:
    text = page(tmp_path, Evidence([], [], []))
    assert text.count("<svg") == 3
    assert "0 blocked decisions" in text
    assert text.rstrip().endswith("</html>")


def test_a_replay_without_a_score_is_reported_with_dashes(tmp_path: Path) -> None:
    none: dict[str, Any] = dict.fromkeys(("live_mean", "live_min", "static_mean", "static_min"))
    text = page(tmp_path, Evidence([], [], []), live={}, static={}, **none)
    assert "<b>–</b>" in text


def test_runs_are_shown_with_the_gate_s_comparison(tmp_path: Path) -> None:
    version = {
        "version": "v1",
        "metrics": {"accuracy": 0.912},
        "gate": {"champion_metrics": {"accuracy": 0.834}},
    }
    checks = [
        {"kind": kind, "at": format_time(START + day * timedelta(days=1)), "summary": summary}
        for kind, summary in (("performance", {"value": 0.8}), ("drift", {"share": 0.1}), ("performance", {}))
        for day in (1, 2)
    ]
    text = page(
        tmp_path,
        Evidence([STARTED, BLOCKED], [version], checks),
        configured=configuration(gate={"metric": "accuracy"}),
    )
    assert "0.912" in text
    assert "0.834" in text
    assert "cooldown" in text
    assert "1,234 / 0" in text


@pytest.mark.parametrize("outcome", [{}, {"outcome": "failed", "outcome_reason": "Train: <b>it</b>"}])
def test_an_open_or_failed_run_is_shown_too(tmp_path: Path, outcome: dict[str, Any]) -> None:
    triggered = {"at": format_time(START), "triggered": True, "signals": [SIGNAL], **outcome}
    text = page(tmp_path, Evidence([triggered], [], []))
    assert f'class="{outcome.get("outcome", "open")}"' in text
    assert "<b>it</b>" not in text


def test_external_text_is_escaped(tmp_path: Path) -> None:
    attack = "<script>alert(1)</script>"
    decision = {**BLOCKED, "signals": [{"kind": attack, "active": True}], "blocked_by": [{"code": attack}]}
    triggered = {**STARTED, "outcome_reason": attack, "signals": [{"kind": attack, "active": True}]}
    text = page(tmp_path, Evidence([decision, triggered], [], []), Story(attack, attack, (attack,)))
    assert "<script>" not in text
    assert text.count("&lt;script&gt;alert(1)") == 7


def test_a_regression_is_reported_in_its_own_unit(tmp_path: Path) -> None:
    text = page(tmp_path, Evidence([], [], []), configured=configuration(task="regression"))
    assert "Mean absolute error by month" in text
    assert "0.875" in text
