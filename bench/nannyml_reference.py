"""NannyML's confidence-based estimates of its own synthetic car-loan data, as JSON on standard output.

Run by ``bench.estimate`` in a separate environment: NannyML is no dependency of the product. Its usage logging is
switched off by the caller's environment.
"""

import json
import sys
from typing import Any

CHUNK_ROWS = 5_000
METRICS = ("accuracy", "roc_auc")


def reference() -> dict[str, Any]:
    """Build the data, by column, with NannyML's estimates and measurements for each chunk of it."""
    import nannyml  # noqa: PLC0415

    known, analysis, targets = nannyml.load_synthetic_car_loan_dataset()
    analysis = analysis.merge(targets, on="id")
    columns = {"y_true": "repaid", "y_pred": "y_pred", "y_pred_proba": "y_pred_proba"}
    estimator = nannyml.CBPE(
        **columns, problem_type="classification_binary", metrics=list(METRICS), chunk_size=CHUNK_ROWS
    ).fit(known)
    realised = nannyml.PerformanceCalculator(
        **columns, problem_type="classification_binary", metrics=list(METRICS), chunk_size=CHUNK_ROWS
    ).fit(known)
    estimates = estimator.estimate(analysis).filter(period="analysis").to_df()
    values = realised.calculate(analysis).filter(period="analysis").to_df()
    return {
        "version": nannyml.__version__,
        "chunk_rows": CHUNK_ROWS,
        "reference": {name: known[column].tolist() for name, column in columns.items()},
        "analysis": {name: analysis[column].tolist() for name, column in columns.items()},
        "estimated": {metric: estimates[(metric, "value")].tolist() for metric in METRICS},
        "realised": {metric: values[(metric, "value")].tolist() for metric in METRICS},
    }


if __name__ == "__main__":
    json.dump(reference(), sys.stdout)
