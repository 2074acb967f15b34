"""A label stands for as many predictions as would have stayed without one."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.model import ModelConfiguration
from hindsight.evaluation.weights import effective_rows, label_weights
from hindsight.monitoring.performance.realised_performance import check_performance
from hindsight.monitoring.results.check import Verdict
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.builders.label_rows import newest_records

MANUAL = {"event": "annotation", "kind": "manual"}
OUTCOME = {"event": "demand", "kind": "outcome", "window": "P2D"}
REVIEWED: dict[str, Any] = {
    "prediction_id": "a",
    "known_at": "2026-03-01T12:00:00.000000Z",
    "seq": 1,
    "value": 1,
    "kind": "manual",
    "selection_probability": 0.02,
}


BY_ACCURACY = {"performance": {"metric": "accuracy"}}


def rules(*rules: dict[str, Any], **labels: Any) -> ModelConfiguration:
    return configuration(labels={"rules": list(rules), **labels})


def weights(records: list[dict[str, Any]], configured: ModelConfiguration) -> list[float]:
    return label_weights(newest_records(records), configured).tolist()


def test_reviewed_prediction_counts_by_its_inverse_probability() -> None:
    assert weights([REVIEWED], rules(MANUAL, OUTCOME)) == [50.0]


def test_weight_is_one_if_all_have_a_label_in_the_end() -> None:
    everywhere = rules(MANUAL, OUTCOME, default={"value": 0, "after": "P7D"})
    assert everywhere.labels.labels_every_prediction
    assert weights([REVIEWED], everywhere) == [1.0]


def test_default_that_requires_exposure_leaves_some_without_a_label() -> None:
    exposed_only = rules(MANUAL, OUTCOME, default={"value": 0, "after": "P7D", "requires_exposure": True})
    assert weights([REVIEWED], exposed_only) == [50.0]


@pytest.mark.parametrize("order", [1, -1])
def test_weight_is_one_if_the_outcome_was_known_before(order: int) -> None:
    outcome = {**REVIEWED, "kind": "outcome", "value": 0}
    records = [outcome, {**REVIEWED, "seq": 2}]
    assert weights(records[::order], rules(MANUAL, OUTCOME)) == [1.0]


def test_earlier_record_without_a_value_is_no_other_label() -> None:
    censored = {**REVIEWED, "kind": None, "value": None}
    assert weights([censored, {**REVIEWED, "seq": 2}], rules(MANUAL, OUTCOME)) == [50.0]


def test_weight_is_one_if_other_evidence_labelled_a_picked_prediction() -> None:
    assert weights([{**REVIEWED, "kind": "outcome"}], rules(MANUAL, OUTCOME)) == [1.0]


@pytest.mark.parametrize("probability", [None, 0, -0.1, 1.5, float("nan"), float("inf"), "0.5", True])
def test_weight_is_one_for_an_invalid_probability(probability: object) -> None:
    assert weights([{**REVIEWED, "selection_probability": probability}], rules(MANUAL, OUTCOME)) == [1.0]


@given(st.lists(st.floats(1.0, 1e9), min_size=1))
def test_effective_rows_are_between_one_and_all(found: list[float]) -> None:
    assert 1 - 1e-9 <= effective_rows(np.array(found)) <= len(found) * (1 + 1e-9)


def test_no_rows_have_no_effective_rows() -> None:
    assert effective_rows(np.array([])) == 0.0


def audited(rows: int, seed: int) -> tuple[list[dict[str, Any]], float]:
    """Predictions right in 95 of 100 where the model is sure and in 60 where it is not, which are reviewed ten times
    as often; and the share of all of them that are right."""
    rng = random.Random(seed)
    records, right = [], 0
    for place in range(rows):
        sure = rng.random() < 0.8
        hit = rng.random() < (0.95 if sure else 0.6)
        right += hit
        probability = 0.05 if sure else 0.5
        if rng.random() < probability:
            records.append(
                {
                    **REVIEWED,
                    "prediction_id": str(place),
                    "value": int(hit),
                    "decision": 1,
                    "score": 0.9,
                    "model_version": "v1",
                    "selection_probability": probability,
                    "features": {"holiday": sure},
                }
            )
    return records, right / rows


def test_performance_is_of_all_predictions_not_of_the_reviewed_ones() -> None:
    reviewed_only = configuration(labels={"rules": [MANUAL]}, monitoring={"slices": ["holiday"], **BY_ACCURACY})
    held = 0
    for seed in range(60):
        records, truth = audited(4_000, seed)
        found = check_performance(records, reviewed_only, champion="v1", limit=None, test=None, level=1e-5).champion
        assert found.value is not None
        assert found.lower is not None
        assert found.upper is not None
        assert found.effective_rows < found.labels
        assert sum(record["value"] for record in records) / len(records) < truth - 0.1
        held += found.lower <= truth <= found.upper
    assert held >= 49  # 90 % two-sided; of 60, fewer than 49 come in 1 of 100


def test_versions_and_slices_are_weighted_too() -> None:
    rows = [
        {**REVIEWED, "prediction_id": "1", "value": 1, "selection_probability": 0.1},
        {**REVIEWED, "prediction_id": "2", "value": 0, "selection_probability": 0.9},
    ]
    given = [{**row, "decision": 1, "score": 0.9, "model_version": "v1", "features": {}} for row in rows]
    report = check_performance(
        given,
        configuration(labels={"rules": [MANUAL]}, monitoring={"slices": ["holiday"], **BY_ACCURACY}),
        champion="v1",
        limit=None,
        test=None,
        level=1e-5,
    )
    for found in (report.overall, report.versions["v1"], report.slices["holiday"]["(missing)"]):
        assert found.value == pytest.approx(0.9)
    assert report.metrics["precision"].value == pytest.approx(0.9)


def test_verdict_needs_enough_effective_labels() -> None:
    heavy = [
        {
            **REVIEWED,
            "prediction_id": str(place),
            "value": 0,
            "decision": 1,
            "score": 0.9,
            "model_version": "v1",
            "features": {},
            "selection_probability": 0.001 if place < 5 else 1.0,
        }
        for place in range(400)
    ]
    report = check_performance(
        heavy,
        configuration(labels={"rules": [MANUAL]}, monitoring={"performance": {"min": 0.9}}),
        champion="v1",
        limit=None,
        test=None,
        level=1e-5,
    )
    assert report.verdict is Verdict.INSUFFICIENT
    assert "worth" in report.reason
    assert report.shortfall == 0.0


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "kind": st.sampled_from(["manual", "outcome", None]),
                "selection_probability": st.sampled_from([None, 0.0, 0.02, 1.0, True]),
            },
            optional={"labelled_without_review": st.sampled_from([True, False, None])},
        ),
        max_size=8,
    )
)
def test_weights_of_columns_are_those_of_single_records(records: list[dict[str, Any]]) -> None:
    configured = rules(MANUAL, OUTCOME)

    assert label_weights(records, configured).tolist() == [
        label_weights([record], configured).item() for record in records
    ]
