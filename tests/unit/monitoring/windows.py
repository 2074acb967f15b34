"""Windows of predictions and training references for drift, as profiles."""

from collections.abc import Callable
from typing import Any

import numpy as np

from hindsight.config.model import ModelConfiguration
from hindsight.config.monitoring import DriftMethod
from hindsight.monitoring.drift.input_drift import DriftReport, check_drift
from hindsight.profiles.build import profile_rows
from hindsight.profiles.codec import decode, encode
from hindsight.profiles.profile import Profile
from hindsight.testing.builders.configuration import configuration

Draw = Callable[[np.random.Generator], Any]
LEVEL = 1e-5
USUAL: dict[str, Draw] = {
    "hour": lambda rng: str(rng.choice([8, 17])),
    "temperature": lambda rng: float(rng.uniform()),
    "holiday": lambda rng: None if rng.uniform() < 0.1 else bool(rng.uniform() < 0.1),
    "score": lambda rng: float(rng.uniform()),
}


def rules(method: DriftMethod = DriftMethod.PSI, *, data_quality: float = 0.05, **drift: Any) -> ModelConfiguration:
    drift_policy = {"method": method, "share": 0.3, **drift}
    return configuration(
        monitoring={"min_rows": 500, "drift": drift_policy, "data_quality": {"threshold": data_quality}}
    )


def rows(count: int, seed: int, **columns: Draw) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    drawn = [{name: value(rng) for name, value in {**USUAL, **columns}.items()} for _ in range(count)]
    return [
        {"prediction_id": f"{seed}-{number}", "score": row.pop("score"), "decision": 1, "features": row}
        for number, row in enumerate(drawn)
    ]


def profile_of(found: list[dict[str, Any]], capacity: int = 2_000) -> Profile:
    rules_ = rules()
    return profile_rows(found, rules_.features, rules_.task, sample_capacity=capacity)


def window(count: int = 1_000, seed: int = 1, **columns: Draw) -> Profile:
    return profile_of(rows(count, seed, **columns))


_PACKED = encode(window(2_000, seed=99))


def trained_on() -> Profile:
    """Build the training reference."""
    return decode(_PACKED)


def drift_of(
    found: Profile, of: ModelConfiguration | None = None, *, reference: Profile | None = None, **other: Any
) -> DriftReport:
    return check_drift(reference or trained_on(), found, found, of or rules(), level=LEVEL, **other)
