"""The table of mature cohorts is that of its record: what ``python -m bench.cohorts`` printed."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
# After another run: python -m bench.cohorts > bench/cohorts.json
MEASURED: dict[str, Any] = json.loads((ROOT / "bench/cohorts.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/training.md").read_text(encoding="utf-8")


def shown(figures: dict[str, Any] | None) -> str:
    return "refused" if figures is None else f"{figures['holdout']} / {figures['live']}"


def gap(name: str) -> float:
    return float(MEASURED[name]["worst_gap"])


def test_table_has_each_stream_and_window_as_measured() -> None:
    table = PAGE.partition("<!-- cohorts -->")[2].partition("<!-- end of cohorts -->")[0]
    rows = re.findall(r"^\| (.+) \| (P\d+D) \| (.+) \| (.+) \| (.+) \|$", table, re.MULTILINE)
    assert len(rows) * 2 == len(MEASURED)
    for stream, window, once_due, mature, offline in rows:
        before, after = (MEASURED[f"{stream}, {window}, maturity {share}"] for share in (0.01, 0.8))
        assert (once_due, mature, offline) == (shown(before), shown(after), str(before["offline"]))


def test_sentence_states_the_widest_gaps() -> None:
    words = " ".join(PAGE.split())
    arrival = max(gap(f"due at arrival, P{days}D, maturity 0.8") for days in (150, 200, 300))
    sooner = max(gap(f"cancelled sooner, P{days}D, maturity 0.8") for days in (200, 300))
    assert f"at most {arrival} points from live" in words
    assert f"and {sooner} where it does" in words
    assert f"off by up to {gap('cancelled sooner, P150D, maturity 0.8')}" in words
    behind = [found["offline"] - found["live"] for name, found in MEASURED.items() if "0.8" in name and found]
    assert f"within {max(behind):.1f} points of the one of hindsight" in words
