"""What one training is about."""

from dataclasses import dataclass

from shared.configuration.model import ModelConfiguration
from shared.configuration.training import Candidate
from shared.datasets.dataset import Manifest
from shared.registry.run import RetrainingRun


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """What to train, on what, for which run; ``configuration`` is the revision the manifest names."""

    run: RetrainingRun
    manifest: Manifest
    configuration: ModelConfiguration
    candidate: Candidate
    code_version: str
