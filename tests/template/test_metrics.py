"""Every CloudWatch metric that the code publishes is on a page, and so is its bill: nobody pays for what is unknown."""

import re
from pathlib import Path

from tests.template.metric_names import embedded_metrics, put_metrics

PAGES = [Path(__file__).parents[2] / "docs" / name for name in ("triggers.md", "labels.md")]


def test_every_metric_is_named_where_the_metrics_are_listed() -> None:
    named = {name for page in PAGES for name in re.findall(r"`([A-Z]\w+)`", page.read_text(encoding="utf-8"))}
    published = [*embedded_metrics(), *put_metrics()]
    missing = sorted({metric.pattern for metric in published if not any(map(metric.fullmatch, named))})
    assert len(published) > 30
    assert not missing, "name them in docs/triggers.md, Metrics, with their dimensions; of the join in docs/labels.md"
