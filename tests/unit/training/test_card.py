"""The model card holds the measurements, the same for machines and people, and no row."""

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Metric, Task
from hindsight.config.training import Candidate, Training
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.training.fitting.labelled_frame import LabelledFrame
from hindsight.training.fitting.pipeline_spec import PipelineSpec
from hindsight.training.model_card import importance
from hindsight.training.model_card.charts import bars, intervals, reliability_diagram
from hindsight.training.model_card.importance import permutation_importances
from hindsight.training.model_card.limits import limits
from hindsight.training.model_card.page import card_page
from hindsight.training.models.scoring import LoadedVersion
from hindsight.training.train import train_candidate
from tests.unit.training.test_candidates import schema
from tests.unit.training.trainings import part, training_job
from tests.unit.training.world import revision

CANDIDATES = {
    Task.BINARY: Candidate.GRADIENT_BOOSTING,
    Task.MULTICLASS: Candidate.LOGISTIC_REGRESSION,
    Task.REGRESSION: Candidate.LINEAR_REGRESSION,
}


def made(task: Task, rows: int = 1_000, **sections: Any) -> tuple[dict[str, Any], str]:
    """Train a candidate and return its card and page as they lie in the lake."""
    lake = InMemoryLake()
    watched = {"training": {"window": "P150D"}, "monitoring": {"slices": ["holiday", "temperature"]}}
    trained = train_candidate(lake, training_job(lake, CANDIDATES[task], task.value, rows, **(watched | sections)))
    card: dict[str, Any] = json.loads(lake.objects[trained.card_key.replace(".html", ".json")])
    return card, lake.objects[trained.card_key].decode()


@pytest.mark.parametrize("task", list(Task))
def test_card_shows_the_holdout_s_metrics_within_their_intervals(task: Task) -> None:
    card, page = made(task)

    found = card["performance"]["metrics"]
    judged = found[card["metric"]]
    assert judged["lower"] < judged["value"] < judged["upper"]
    assert card["performance"]["labels"] == card["data"]["counts"]["holdout"]["rows"] == 200
    assert (card["calibration"] is None) == (card["confusion"] is None) == (task is Task.REGRESSION)
    assert (card["errors"] is not None) == (task is Task.REGRESSION)
    assert f"{judged['value']:.3f}" in page
    assert card["data"]["window_start"] < card["data"]["first_row"] < card["data"]["holdout_start"]
    shown = {name: card["data"][name][:16].replace("T", " ") for name in ("first_row", "window_start")}
    assert f"rows from {shown['first_row']}" in page
    assert f"reaches back to {shown['window_start']}" in page
    if card["confusion"]:
        assert int(np.sum(card["confusion"]["rows"])) == 200


def test_card_shows_slices_features_search_and_lineage() -> None:
    card, page = made(Task.BINARY)

    by_holiday = [one for one in card["slices"] if one["feature"] == "holiday"]
    assert sum(one["labels"] for one in by_holiday) == 200
    assert {feature["name"] for feature in card["features"][:2]} == {"temperature", "hour"}
    assert card["training"]["search"]["ended_by"] == "too_few_rows"
    assert card["lineage"]["dataset_digest"] in page
    assert card["lineage"]["code_version"] == "test"


def test_a_searched_version_s_trials_stand_in_it() -> None:
    card, page = made(Task.BINARY, rows=3_000, training={"window": "P150D", "search": {"trials": 4}})

    assert len(card["training"]["search"]["trials"]) == 4
    assert "the defaults" in page
    assert "after all its trials" in page


def test_the_same_training_writes_the_same_card() -> None:
    assert made(Task.BINARY) == made(Task.BINARY)


def test_the_page_needs_nothing_else_runs_nothing_and_shows_no_row() -> None:
    lake = InMemoryLake()
    job = training_job(lake, Candidate.LOGISTIC_REGRESSION, training={"window": "P60D"})
    trained = train_candidate(lake, job)
    page = lake.objects[trained.card_key].decode()

    assert not re.search(r"<script|https?://(?!www\.w3\.org)|src=|@import", page)
    assert not re.search(r"\bp\d{5}\b", page)  # no prediction's id


def test_external_text_is_escaped() -> None:
    card, _ = made(Task.BINARY)
    card["features"][0]["name"] = "<script>alert(1)</script>"
    card["slices"][0]["value_of_feature"] = '"><img onerror=x>'
    card["lineage"]["reason"] = "<b>because</b>"
    card["confusion"]["classes"][0] = "<i>"

    page = card_page(card)

    assert not re.search(r"<script|<img|<b>|<i>", page)


def test_importances_are_the_loss_without_a_feature_and_zero_for_unused_ones() -> None:
    rows = part(1_000)
    version = PipelineSpec(Candidate.GRADIENT_BOOSTING, schema(Task.BINARY), Training(), {}).train(rows)

    found = permutation_importances(version, part(500, seed=1), seed=7)

    assert set(list(found)[:2]) == {"temperature", "hour"}
    assert min(found["temperature"].loss, found["hour"].loss) > 0.1
    assert found["always_missing"].loss == found["never_given"].loss == 0.0
    assert permutation_importances(version, part(500, seed=1), seed=7) == found


def test_loss_grows_without_an_important_feature() -> None:
    rows = part(1_000, "regression")
    version = PipelineSpec(Candidate.LINEAR_REGRESSION, schema(Task.REGRESSION), Training(), {}).train(rows)

    assert version.schema.metric is Metric.MAE
    assert permutation_importances(version, rows, seed=7)["temperature"].loss > 0.3


class _Counting:
    """A pipeline of many features that counts the rows it scores."""

    def __init__(self) -> None:
        self.rows = 0
        self.classes_ = np.array([0, 1])

    def predict_proba(self, frame: pd.DataFrame) -> Any:
        self.rows += len(frame)
        positive = 1 / (1 + np.exp(-3 * frame["f7"].to_numpy()))
        return np.column_stack([1 - positive, positive])


def test_thousands_of_features_take_bounded_work_and_the_telling_one_is_found() -> None:
    features = {f"f{number}": FeatureType.NUMERIC for number in range(1_500)}
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(3_000, 1_500)), columns=list(features))
    labels = (frame["f7"].to_numpy() > 0).astype(np.float64)
    pipeline = _Counting()
    of_many = LoadedVersion(schema(Task.BINARY, features), pipeline)
    rows = LabelledFrame(
        frame, labels, part(3_000).moments, [], part(3_000).prediction_ids, np.ones(3_000), [None] * 3_000
    )

    found = permutation_importances(of_many, rows, seed=7)

    assert next(iter(found)) == "f7"
    assert len(found) == importance.MAX_FEATURES
    assert pipeline.rows < 110_000


def test_limits_are_read_from_the_training_data() -> None:
    card, _ = made(Task.BINARY)
    card["data"]["effective_rows"] = {"train": 100.0, "holdout": 60.0}
    card["features"] += [
        {"name": "gone", "missing": 1.0, "type": "numeric"},
        {"name": "sparse", "missing": 0.9, "type": "numeric"},
    ]
    card["training"]["weights"] = "not_taken"
    card["calibration"] = {"error": 0.2, "by_chance": 0.03, "bins": []}

    text = " ".join(limits(card, revision().configuration))

    for part_of_it in ("up to 1 day:", "worth 60 labels", "Reviewed rows", "not used: gone", "most rows: sparse"):
        assert part_of_it in text
    assert "takes no weights" in text
    assert "20.0%" in text


def test_charts_of_nothing_of_one_value_and_of_none_are_whole() -> None:
    assert intervals([], "nothing") == ""
    unknown = intervals([("recall", {"value": None, "lower": None, "upper": None})], "unknown")
    one = {"value": 0.5, "lower": 0.5, "upper": 0.5}
    alone = intervals([("a", one | {"lower": None, "upper": None}), ("b", one)], "one")
    assert unknown == ""
    assert "nan" not in alone + bars([("x", 0.0, 0.0)], "nought") + reliability_diagram([])
