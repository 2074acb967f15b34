"""The bench's interleavings, played a few times, and a test of its judge."""

from collections.abc import Callable
from typing import Any

import pytest

from bench.interleavings import MODEL, play
from hindsight.registry.moves import PointerStep
from hindsight.registry.pointer import Pointer
from hindsight.rollout import deployment
from hindsight.testing.models.registry import InMemoryRegistry

PLAYED = 40


class Forgetful(InMemoryRegistry):
    """A registry that overwrites another writer's pointer, as an unconditional write would."""

    def move_pointer(self, model: str, step: PointerStep, *, fencing_token: int | None = None) -> Pointer:
        before = self.pointer(model)
        sequence = before.sequence + 1 if before else 1
        moved = PointerStep(step.pointer.replace(sequence=sequence), step.deployment.replace(sequence=sequence))
        return super().move_pointer(model, moved, fencing_token=fencing_token)


def outcomes(make: Callable[[], InMemoryRegistry] = InMemoryRegistry) -> list[str | None]:
    def played(seed: int) -> str | None:
        registry = make()
        return play(seed, registry, lambda token: registry.lock_holders.update({MODEL: token}))

    return [played(seed) for seed in range(PLAYED)]


def test_pointer_is_right_and_explained_by_its_history_after_any_concurrent_moves() -> None:
    assert outcomes() == [None] * PLAYED


def test_a_pointer_moved_without_its_condition_would_be_found_out() -> None:
    assert any(outcomes(Forgetful))


@pytest.mark.parametrize("left_out", ["_already_deployed", "_require_unmoved"])
def test_a_deployment_without_its_precautions_would_be_found_out(
    monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    def nothing(*_: Any) -> None:
        return None

    monkeypatch.setattr(deployment, left_out, nothing)
    assert any(outcomes())
