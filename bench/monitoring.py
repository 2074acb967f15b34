"""The figures behind monitoring: false alarms, delays, errors and costs.

``make bench-monitoring`` prints them and writes ``out/bench/monitoring.json``.
"""

from pathlib import Path
from typing import Any

from rich.table import Table

from bench import drift, estimate, estimate_lives, performance_degradation, profiles
from bench.figures import publish

OUT = Path("out/bench/monitoring.json")
FALL, GOOD_LABELS = 0.05, 5_000


def measure() -> dict[str, Any]:
    """Measure every figure, with its seeds and sizes."""
    cost, of_drift = profiles.measure(), drift.measure()
    degradation, of_estimate = performance_degradation.record(), estimate.measure()
    return {
        "drift_false_alarm_rate": of_drift["drift_false_alarm_rate"],
        "seasonal_false_alarm_rate": of_drift["seasonal_false_alarm_rate"],
        "drift_suspect_rate": of_drift["drift_suspect_rate"],
        "seasonal_suspect_rate": of_drift["seasonal_suspect_rate"],
        "performance_false_alarm_rate": degradation["alarms_in_a_year_by_accuracy"]["0.85"],
        "performance_detection_labels_median": _median_delay(degradation),
        "drift_detection_rows": of_drift["drift_detection_rows"],
        "check_cost_ratio": cost["check_cost_ratio"],
        "profile_rows_per_second": cost["profile_rows_per_second"],
        "check_seconds": cost["check_seconds"],
        "cbpe_max_difference": of_estimate["cbpe_max_difference"],
        "measured": {
            "profiles": cost,
            "drift": of_drift,
            "performance": degradation,
            "estimate": of_estimate,
            "estimate_lives": estimate_lives.record(),
        },
    }


def _median_delay(degradation: dict[str, Any]) -> float:
    delays = degradation["labels_until_found_by_good_labels_and_distance"]
    return float(delays[str(GOOD_LABELS)][str(FALL)]["median"])


def main() -> None:
    """Measure, write and print."""
    publish(measure(), shown, OUT)


def shown(figures: dict[str, Any]) -> Table:
    """Build a table of the figures."""
    table = Table("figure", "seen", "measured with", title="Monitoring")
    for name, how in _how(figures["measured"]).items():
        seen = figures[name]
        table.add_row(name, f"{seen:,}" if isinstance(seen, int) else f"{seen:,.4g}", how)
    return table


def _how(measured: dict[str, Any]) -> dict[str, str]:
    cost, of_drift, live, cbpe = (measured[name] for name in ("profiles", "drift", "performance", "estimate"))
    seconds = "; ".join(f"{int(rows):,} rows: {found} s" for rows, found in cost["check_seconds_by_rows"].items())
    peak = max(cost["check_peak_bytes"]) / 2**20
    accuracy = cbpe["cbpe"]["metrics"]["accuracy"]
    return {
        "drift_false_alarm_rate": (
            f"{of_drift['years']} years without drift, {of_drift['hours_a_year']:,} hourly checks of 20 features each"
        ),
        "seasonal_false_alarm_rate": (
            f"{sum(found['checks'] for found in of_drift['seasonal'].values()):,} checks, two weeks of days and weeks "
            f"that repeat, at {', '.join(of_drift['seasonal'])}"
        ),
        "drift_suspect_rate": "the same checks: the share in which the model is suspect, which rings no alarm",
        "seasonal_suspect_rate": "the same checks of days and weeks that repeat",
        "performance_false_alarm_rate": (
            f"{live['runs']:,} years of {live['labels_a_year']:,} labels, evaluated after each; accuracy "
            f"exactly on the line, {live['line']}"
        ),
        "performance_detection_labels_median": (
            f"{live['runs']:,} falls from {live['good']} to {FALL} below a line of {live['line']}, after "
            f"{GOOD_LABELS:,} good labels"
        ),
        "drift_detection_rows": (
            f"median of {of_drift['runs']} runs, one feature of 20 shifted by a standard deviation; worst of all "
            f"settings {of_drift['drift_detection_rows_worst']:,}"
        ),
        "check_cost_ratio": f"a week of hourly profiles read, compared, shown; {seconds}",
        "profile_rows_per_second": (
            f"{cost['profile_rows']:,} rows, 20 numeric and 5 categorical features, one core; fixed bins and Counter: "
            f"{cost['floor_rows_per_second']:,}; from gzipped JSON lines: {cost['profile_lines_per_second']:,}"
        ),
        "check_seconds": f"20 features, best of 7; peak memory {peak:.0f} MiB",
        "cbpe_max_difference": (
            f"{cbpe['cbpe']['chunks']} chunks of {cbpe['cbpe']['chunk_rows']:,} rows; mean error of accuracy "
            f"{accuracy['mean_error']:.4f}, NannyML's {accuracy['nannyml_mean_error']:.4f}"
        ),
    }


if __name__ == "__main__":
    main()
