"""The benchmark in small: with exploration the intervals hold the truth, without it none does."""

from bench.exploration import GRANTED, Stream, configured, measure


def test_estimates_cover_with_exploration_and_are_far_off_without() -> None:
    found = measure(runs=15, rows=4_000, share=0.05)
    assert found["exploration_coverage"] >= 0.8
    assert abs(found["exploration_bias"]) < 0.01
    assert found["no_exploration_coverage"] == 0.0
    assert found["no_exploration_bias"] > 0.04


def test_declined_loans_have_labels_only_where_they_are_explored() -> None:
    stream = Stream(500, 3)
    granted = [name for name, decision in zip(stream.names, stream.decisions, strict=True) if decision == GRANTED]
    assert [row["prediction_id"] for row in stream.labelled(configured(None))] == granted
    explored = [row for row in stream.labelled(configured(0.2)) if row.get("model_decision") == 0]
    assert {row["propensity"] for row in explored} == {0.2}
    assert 0 < len(explored) < 500 - len(granted)
