"""The specification of a training: the pipeline, its settings, and the weights of the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hindsight.config.metrics import Task
from hindsight.config.training import Candidate, Training
from hindsight.registry.schema import Schema
from hindsight.training.fitting.labelled_frame import LabelledFrame
from hindsight.training.fitting.weighting import class_weights, row_weights
from hindsight.training.models.candidates import build, fit, takes_weights
from hindsight.training.models.probabilities import Recalibration
from hindsight.training.models.scoring import LoadedVersion, class_codes
from hindsight.training.models.user_pipelines import build_user_pipeline, fit_user_pipeline


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """A candidate under a configuration; ``settings`` take the place of the built-in estimator's defaults."""

    candidate: Candidate
    schema: Schema
    training: Training
    settings: Mapping[str, Any]

    def with_settings(self, settings: Mapping[str, Any]) -> "PipelineSpec":
        """Copy the specification with other settings."""
        return replace(self, settings=settings)

    def train(self, rows: LabelledFrame) -> LoadedVersion:
        """Train a version on rows; the effect of class weights on its probabilities is undone.

        Raises UnusablePipeline for the deployment's own pipeline, if it cannot be built or trained.
        """
        targets = class_codes(rows.labels, self.schema)
        weights, undo = row_weights(rows, self.training), None
        pipeline = self._untrained(rows)
        if self.training.class_weight == "balanced" and self.schema.task is not Task.REGRESSION:
            of_classes = class_weights(targets, weights, len(self.schema.classes))
            if takes_weights(pipeline):
                weights = weights * of_classes[targets]
                undo = Recalibration.undo(of_classes)
        train = fit_user_pipeline if self.candidate is Candidate.CUSTOM else fit
        return LoadedVersion(self.schema, train(pipeline, rows.frame, targets, weights), undo)

    def _untrained(self, rows: LabelledFrame) -> Any:
        if self.candidate is Candidate.CUSTOM:
            return build_user_pipeline(self.training.pipeline or "", self.schema, rows.frame, self.training.seed)
        return build(self.candidate, self.schema, rows.frame, self.training.seed, self.settings)
