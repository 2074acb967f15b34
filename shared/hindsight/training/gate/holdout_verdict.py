"""The verdict on a challenger's predictions for a holdout, made here or elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import UnusableArtifact
from hindsight.datasets.dataset import Manifest
from hindsight.datasets.dataset_check import MIN_HOLDOUT_ROWS
from hindsight.datasets.formats.columns import Categories
from hindsight.datasets.part import Arrays, read_arrays, unpack
from hindsight.lake.object_store import Lake
from hindsight.registry.pointer import Pointer
from hindsight.registry.version import Check, VersionRecord, gap_note
from hindsight.training.fitting.labelled_frame import LabelledFrame, load_part
from hindsight.training.gate.gate import Contest, baseline_predictions, judge
from hindsight.training.models.artifact import load_artifact
from hindsight.training.models.scoring import Predictions

_BINARY = {"1": 1.0, "true": 1.0, "0": 0.0, "false": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldoutVerdict:
    """The checks of the holdout and the metrics behind them; see ``VersionRecord`` for the fields."""

    checks: tuple[Check, ...]
    metrics: Mapping[str, float | None]
    compared_with: str | None
    champion_metrics: Mapping[str, float | None] | None
    notes: tuple[str, ...]

    def added_to(self, record: VersionRecord) -> VersionRecord:
        """Add the verdict to a version's record, its notes behind those that are there."""
        return record.replace(
            checks=self.checks,
            metrics=self.metrics,
            compared_with=self.compared_with,
            champion_metrics=self.champion_metrics,
            notes=(*record.notes, *self.notes),
        )


@dataclass(frozen=True, slots=True)
class _Champion:
    """The champion's predictions for the holdout, for the rows ``answered`` alone or for all; or why there are none."""

    predictions: Predictions | None
    answered: npt.NDArray[np.intp] | None = None
    note: str | None = None


def judge_holdout(
    lake: Lake,
    manifest: Manifest,
    configuration: ModelConfiguration,
    *,
    holdout: LabelledFrame,
    predictions: Predictions,
    pointer: Pointer | None,
) -> HoldoutVerdict:
    """Judge predictions for a holdout against the champion of a pointer, else as a first version's."""
    champion = _champion(lake, manifest, configuration, pointer)
    rows = len(holdout.labels)
    contest = Contest(
        labels=holdout.labels,
        frame=holdout.frame,
        challenger=predictions,
        baseline=baseline_predictions(configuration.task, configuration.gate_metric, manifest.counts["train"], rows),
        champion=champion.predictions,
        weights=holdout.weights,
        entities=holdout.entity_ids,
        answered=champion.answered,
    )
    met = holdout if champion.answered is None else holdout.at(champion.answered)
    return HoldoutVerdict(
        checks=tuple(judge(contest, configuration)),
        metrics=_measure(predictions, holdout, configuration),
        compared_with=pointer.champion if pointer and champion.predictions else None,
        champion_metrics=_measure(champion.predictions, met, configuration) if champion.predictions else None,
        notes=tuple(filter(None, [champion.note, gap_note(manifest.rows)])),
    )


def _champion(lake: Lake, manifest: Manifest, configuration: ModelConfiguration, pointer: Pointer | None) -> _Champion:
    if pointer is None:
        return _Champion(None, note="there is no champion: judged as a first version")
    if pointer.is_external:
        return _answers(read_arrays(lake, manifest, "holdout"), configuration, pointer.champion)
    try:
        return _Champion(_predictions(lake, manifest, configuration, pointer))
    except UnusableArtifact as error:
        note = f"the champion {pointer.champion} could not be scored, judged as a first version: {error.message}"
        return _Champion(None, note=note)


def _predictions(lake: Lake, manifest: Manifest, configuration: ModelConfiguration, pointer: Pointer) -> Predictions:
    """Predict the holdout by the champion, read with the features it was trained on."""
    champion = load_artifact(lake, pointer.artifact_key, pointer.artifact_digest)
    if champion.schema.task is not configuration.task:
        raise UnusableArtifact(f"it answers a {champion.schema.task} task")
    holdout = load_part(lake, manifest, "holdout", champion.schema.features, configuration)
    return champion.predict(holdout.frame)


def _answers(arrays: Arrays, configuration: ModelConfiguration, champion: str) -> _Champion:
    """Read what the champion really answered: another server has its artefact, and the log its answers."""
    versions, task = unpack("model_version", arrays), configuration.task
    assert isinstance(versions, Categories)
    decisions, scores = _decisions(arrays, task), np.array(arrays["score"], dtype=np.float64)
    usable = (versions.texts() == champion) & np.isfinite(scores)
    usable &= decisions != "" if task is Task.MULTICLASS else np.isfinite(decisions)
    answered, rows = np.flatnonzero(usable), len(scores)
    first = f"the champion {champion} answered {len(answered):,} of the holdout's {rows:,} rows"
    if len(answered) < MIN_HOLDOUT_ROWS:
        note = f"{first}, fewer than {MIN_HOLDOUT_ROWS}: judged as a first version"
        return _Champion(None, note=note)
    if task is Task.MULTICLASS and configuration.gate_metric is Metric.LOG_LOSS:
        note = f"the probabilities that the champion {champion} logged are not kept: judged as a first version"
        return _Champion(None, note=note)
    return _Champion(
        Predictions(task, decisions[answered], scores[answered]),
        answered,
        f"{first}: it is compared on these alone" if len(answered) < rows else None,
    )


def _decisions(arrays: Arrays, task: Task) -> npt.NDArray[np.float64] | npt.NDArray[np.str_]:
    """Read the logged decisions of the version itself, NaN or an empty text where there is none that fits."""
    decisions = unpack("model_decision", arrays)
    if not isinstance(decisions, Categories):
        return np.array(decisions, dtype=np.float64)
    if task is Task.MULTICLASS:
        return np.array([*decisions.vocabulary, ""], dtype=np.str_)[decisions.codes]
    return np.array([*(_BINARY.get(text, np.nan) for text in decisions.vocabulary), np.nan])[decisions.codes]


def _measure(
    predictions: Predictions, holdout: LabelledFrame, configuration: ModelConfiguration
) -> dict[str, float | None]:
    metrics = sorted(METRICS_BY_TASK[configuration.task])
    return {metric.value: predictions.measure(metric, holdout.labels, holdout.weights) for metric in metrics}
