"""What one training is about."""

from dataclasses import dataclass

from hindsight.config.model import ModelConfiguration
from hindsight.config.training import Candidate
from hindsight.datasets.dataset import Manifest
from hindsight.runs.run import RetrainingRun


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """What to train, on what, for which run; ``configuration`` is the revision the manifest names."""

    run: RetrainingRun
    manifest: Manifest
    configuration: ModelConfiguration
    candidate: Candidate
    code_version: str
