from datetime import UTC, datetime

import pytest

from shared.errors import NoModel, UnusableArtifact
from shared.registry.pointer import Pointer
from shared.registry.serving import Serving
from tests.fakes.registry import InMemoryRegistry
from tests.pointers import promoted

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Artefacts:
    """Loads an artefact as the text of its key, and remembers which; ``broken`` cannot be loaded."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.broken: set[str] = set()

    def load(self, pointer: Pointer) -> str:
        if pointer.artifact_key in self.broken:
            raise UnusableArtifact("it is damaged")
        self.loaded.append(pointer.artifact_key)
        return f"content of {pointer.artifact_key}"


@pytest.fixture
def registry() -> InMemoryRegistry:
    return InMemoryRegistry()


@pytest.fixture
def artefacts() -> Artefacts:
    return Artefacts()


@pytest.fixture
def serving(registry: InMemoryRegistry, artefacts: Artefacts) -> Serving[str]:
    return Serving(registry, artefacts.load)


def point(registry: InMemoryRegistry, version: str, model: str = "m") -> None:
    digest = f"digest of {version}"
    registry.move_pointer(model, promoted(version, NOW, registry.pointer(model), key=version, digest=digest))


def test_before_the_first_deployment_nothing_serves(serving: Serving[str]) -> None:
    with pytest.raises(NoModel):
        serving.version("m")


def test_a_version_is_loaded_once_while_the_pointer_stays(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    point(registry, "v1")
    assert {serving.version("m") for _ in range(3)} == {("v1", "content of v1")}
    assert artefacts.loaded == ["v1"]


def test_a_promotion_and_a_rollback_take_effect_at_the_next_call(
    serving: Serving[str], registry: InMemoryRegistry
) -> None:
    served = []
    for version in ("v1", "v2", "v1"):
        point(registry, version)
        served.append(serving.version("m"))
    assert served == [("v1", "content of v1"), ("v2", "content of v2"), ("v1", "content of v1")]


def test_a_load_that_fails_leaves_nothing_half_behind(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    point(registry, "v1")
    serving.version("m")
    artefacts.broken.add("v2")
    point(registry, "v2")
    for _ in range(2):
        with pytest.raises(UnusableArtifact):
            serving.version("m")
    artefacts.broken.clear()
    assert serving.version("m") == ("v2", "content of v2")


def test_after_a_failed_load_the_version_before_serves_again_once_it_is_pointed_to(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    point(registry, "v1")
    serving.version("m")
    artefacts.broken.add("v2")
    point(registry, "v2")
    with pytest.raises(UnusableArtifact):
        serving.version("m")
    point(registry, "v1")
    assert serving.version("m") == ("v1", "content of v1")
    assert artefacts.loaded == ["v1"]


def test_models_serve_beside_each_other(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    for model in ("m", "n"):
        point(registry, f"{model}-v1", model)
    assert [serving.version(model)[0] for model in ("m", "n", "m", "n")] == ["m-v1", "n-v1", "m-v1", "n-v1"]
    assert artefacts.loaded == ["m-v1", "n-v1"]
