from datetime import UTC, datetime

import pytest

from hindsight.core.errors import NoModel, UnusableArtifact
from hindsight.registry.moves import AuditInfo, Servable, start_rollout
from hindsight.registry.pointer import RolloutMode
from hindsight.serving.line_up import Serving, share_of
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.models.registry import InMemoryRegistry

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Artefacts:
    """Loads an artefact as the text of its key, and remembers which; ``broken`` cannot be loaded."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.broken: set[str] = set()

    def load(self, named: Servable) -> str:
        if named.artifact_key in self.broken:
            raise UnusableArtifact("it is damaged")
        self.loaded.append(named.artifact_key)
        return f"content of {named.artifact_key}"


@pytest.fixture
def registry() -> InMemoryRegistry:
    return InMemoryRegistry()


@pytest.fixture
def artefacts() -> Artefacts:
    return Artefacts()


@pytest.fixture
def serving(registry: InMemoryRegistry, artefacts: Artefacts) -> Serving[str]:
    return Serving(registry.pointer, artefacts.load)


def point(registry: InMemoryRegistry, version: str, model: str = "m") -> None:
    digest = f"digest of {version}"
    registry.move_pointer(model, promoted(version, NOW, registry.pointer(model), key=version, digest=digest))


def answers(serving: Serving[str], model: str) -> tuple[str, str]:
    champion = serving.line_up(model).champion
    return champion.version, champion.scorer


def try_out(registry: InMemoryRegistry, version: str, mode: RolloutMode, share: float | None) -> None:
    pointer = registry.pointer("m")
    assert pointer is not None
    named = Servable(version=version, artifact_key=version, artifact_digest=f"digest of {version}")
    audit = AuditInfo(reason="better", actor="pipeline", at=NOW)
    registry.move_pointer("m", start_rollout(pointer, named, mode, share, audit))


def test_before_the_first_deployment_nothing_serves(serving: Serving[str]) -> None:
    with pytest.raises(NoModel):
        answers(serving, "m")


def test_a_version_is_loaded_once_while_the_pointer_stays(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    point(registry, "v1")
    assert {answers(serving, "m") for _ in range(3)} == {("v1", "content of v1")}
    assert artefacts.loaded == ["v1"]


def test_a_promotion_and_a_rollback_take_effect_at_the_next_call(
    serving: Serving[str], registry: InMemoryRegistry
) -> None:
    served = []
    for version in ("v1", "v2", "v1"):
        point(registry, version)
        served.append(answers(serving, "m"))
    assert served == [("v1", "content of v1"), ("v2", "content of v2"), ("v1", "content of v1")]


def test_a_champion_that_cannot_be_loaded_leaves_the_one_before_it_at_work(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    point(registry, "v1")
    serving.line_up("m")
    artefacts.broken.add("v2")
    point(registry, "v2")
    lineup = serving.line_up("m")
    assert (lineup.champion.version, lineup.champion.scorer) == ("v1", "content of v1")
    assert lineup.troubles == ("v2 cannot be loaded: it is damaged",)
    artefacts.broken.clear()
    assert [serving.line_up("m").champion.version for _ in range(2)] == ["v1", "v2"]
    assert serving.line_up("m").troubles == ()


def test_loads_that_fail_are_tried_again_ever_more_rarely(registry: InMemoryRegistry) -> None:
    tried = []

    def load(named: Servable) -> str:
        if named.version == "v2":
            tried.append(call)
            raise UnusableArtifact("it is damaged")
        return named.version

    serving = Serving(registry.pointer, load)
    point(registry, "v1")
    serving.line_up("m")
    point(registry, "v2")
    for call in range(300):  # noqa: B007  read by the closure
        assert serving.line_up("m").champion.version == "v1"
    assert tried == [0, 2, 5, 10, 19, 36, 69, 134, 199, 264]


def test_a_first_champion_that_cannot_be_loaded_is_an_error_every_time(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    artefacts.broken.add("v1")
    point(registry, "v1")
    for _ in range(2):
        with pytest.raises(UnusableArtifact):
            serving.line_up("m")
    artefacts.broken.clear()
    assert serving.line_up("m").champion.version == "v1"


def test_a_canary_answers_its_share_always_the_same_entities(serving: Serving[str], registry: InMemoryRegistry) -> None:
    point(registry, "v1")
    try_out(registry, "v2", RolloutMode.CANARY, 0.1)
    lineup = serving.line_up("m")
    answered = [lineup.answers_for(f"rider-{number}").version for number in range(10_000)]
    assert 0.09 < answered.count("v2") / len(answered) < 0.11
    assert answered == [serving.line_up("m").answers_for(f"rider-{number}").version for number in range(10_000)]
    assert lineup.shadow is None


def test_every_rollout_draws_its_own_entities() -> None:
    chosen = [{n for n in range(2_000) if share_of("m", version, str(n)) < 0.5} for version in ("v2", "v3")]
    assert 400 < len(chosen[0] & chosen[1]) < 600


def test_shadow_does_not_answer(serving: Serving[str], registry: InMemoryRegistry) -> None:
    point(registry, "v1")
    try_out(registry, "v2", RolloutMode.SHADOW, None)
    lineup = serving.line_up("m")
    assert {lineup.answers_for(str(number)).version for number in range(100)} == {"v1"}
    assert lineup.shadow is not None
    assert lineup.shadow.version == "v2"


def test_unloadable_challenger_does_not_affect_answers(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    point(registry, "v1")
    artefacts.broken.add("v2")
    try_out(registry, "v2", RolloutMode.CANARY, 0.9)
    lineup = serving.line_up("m")
    assert {lineup.answers_for(str(number)).version for number in range(100)} == {"v1"}
    assert lineup.troubles == ("v2 cannot be loaded: it is damaged",)


def test_a_promoted_challenger_is_not_loaded_again(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    point(registry, "v1")
    try_out(registry, "v2", RolloutMode.CANARY, 0.5)
    serving.line_up("m")
    point(registry, "v2")
    assert answers(serving, "m") == ("v2", "content of v2")
    assert artefacts.loaded == ["v1", "v2"]


def test_no_more_models_are_held_than_fit(registry: InMemoryRegistry, artefacts: Artefacts) -> None:
    serving = Serving(registry.pointer, artefacts.load, max_models=2)
    for model in ("a", "b", "c"):
        point(registry, f"{model}-v1", model)
    for model in ("a", "b", "a", "c", "a", "b"):
        serving.line_up(model)
    assert artefacts.loaded == ["a-v1", "b-v1", "c-v1", "b-v1"]


def test_models_serve_beside_each_other(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    for model in ("m", "n"):
        point(registry, f"{model}-v1", model)
    assert [answers(serving, model)[0] for model in ("m", "n", "m", "n")] == ["m-v1", "n-v1", "m-v1", "n-v1"]
    assert artefacts.loaded == ["m-v1", "n-v1"]


def test_warming_up_loads_each_model_once_and_its_next_call_loads_nothing(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    point(registry, "v1", "a")
    point(registry, "v2", "b")

    assert [serving.warm_up(["a", "b", "without a version"], lambda: True) for _ in range(2)] == [{}, {}]

    assert answers(serving, "b") == ("v2", "content of v2")
    assert artefacts.loaded == ["v1", "v2"]


def test_warming_up_names_the_model_that_cannot_be_loaded_and_loads_the_others(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    point(registry, "v1", "a")
    point(registry, "v2", "b")
    artefacts.broken.add("v1")

    assert serving.warm_up(["a", "b"], lambda: True) == {"a": "it is damaged"}
    assert artefacts.loaded == ["v2"]


def test_warming_up_keeps_loaded_versions_before_it_loads_others_and_respects_the_limit(
    registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    serving = Serving(registry.pointer, artefacts.load, max_models=2)
    for number in (1, 2, 3):
        point(registry, f"v{number}", f"m{number}")
    answers(serving, "m3")

    serving.warm_up(["m1", "m2", "m3"], lambda: True)
    serving.warm_up(["m1", "m2", "m3"], lambda: True)

    assert artefacts.loaded == ["v3", "v1"]


def test_warming_up_ends_where_time_is_short(
    serving: Serving[str], registry: InMemoryRegistry, artefacts: Artefacts
) -> None:
    point(registry, "v1", "a")

    assert serving.warm_up(["a"], lambda: False) == {}
    assert artefacts.loaded == []
