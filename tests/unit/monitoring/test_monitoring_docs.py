"""The statements of docs/monitoring.md hold for the code."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from hindsight.config.monitoring import Monitoring
from hindsight.evaluation.sequential.alpha_spending import HALF_SPENT, level_of
from hindsight.monitoring.drift.feature_verdict import DriftKind
from hindsight.testing.builders.configuration import configuration

PAGE = (Path(__file__).parents[3] / "docs" / "monitoring.md").read_text()


def test_page_shows_all_settings_with_their_defaults() -> None:
    [block] = re.findall(r"```yaml\n(monitoring:\n.*?  drift:.*?)```", PAGE, re.DOTALL)
    shown = yaml.safe_load(block)["monitoring"]
    defaults = Monitoring()
    assert set(shown["drift"]) == set(type(defaults.drift).model_fields)
    parsed = configuration(monitoring=shown).monitoring
    assert (parsed.window, parsed.min_rows, parsed.drift) == (defaults.window, defaults.min_rows, defaults.drift)


def test_every_kind_of_drift_is_explained() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)[: len(DriftKind)] == list(DriftKind)


def test_page_gives_the_levels_of_alpha_spending() -> None:
    promoted = datetime(2026, 3, 1, tzinfo=UTC)
    assert f"{HALF_SPENT / timedelta(hours=1):.0f}" in PAGE
    assert f"{level_of(0.01, promoted, promoted):.1e}" == "1.4e-05"
    assert f"{level_of(0.01, promoted, promoted + timedelta(days=365)):.0e}" == "8e-08"
    assert "1.4e-5 in the first hour and 8e-8 after a year" in " ".join(PAGE.split())
