"""The line-up: the versions that serve, loaded once and for as long as the pointer names them."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, TypeVar

from hindsight.core.errors import HindsightError, NoModel, ServedElsewhere
from hindsight.registry.moves import Servable
from hindsight.registry.pointer import Pointer, Rollout, RolloutMode

LoadedT = TypeVar("LoadedT")

MAX_MODELS = 16
_MAX_WAIT = 64


@dataclass(frozen=True, slots=True)
class InService(Generic[LoadedT]):
    """A version and its scorer."""

    version: str
    scorer: LoadedT


@dataclass(frozen=True, slots=True)
class LineUp(Generic[LoadedT]):
    """The versions that predict: the champion, and a challenger in a rollout if there is one that can be loaded.

    ``troubles`` name the versions that could not be loaded; they go to the operator, not the app.
    """

    model: str
    champion: InService[LoadedT]
    rollout: Rollout | None = None
    challenger: InService[LoadedT] | None = None
    troubles: tuple[str, ...] = ()

    @property
    def versions(self) -> tuple[str, ...]:
        """The names of the versions that predict, the champion first."""
        return (self.champion.version, *([self.challenger.version] if self.challenger else []))

    @property
    def shadow(self) -> InService[LoadedT] | None:
        """The challenger that predicts beside the champion; the app does not see it."""
        return self.challenger if self.rollout and self.rollout.mode is RolloutMode.SHADOW else None

    def answers_for(self, entity: str) -> InService[LoadedT]:
        """Choose the version for an entity: the canary for its share, the same entities always, else the champion."""
        if self.rollout is None or self.challenger is None:
            return self.champion
        return self.challenger if is_chosen(self.model, self.rollout, entity) else self.champion

    def share_of(self, version: str) -> float | None:
        """Find the share of the entities that a version answers in a canary, None without one."""
        rollout = self.rollout
        if rollout is None or self.challenger is None or rollout.mode is not RolloutMode.CANARY or not rollout.share:
            return None
        return rollout.share if version == self.challenger.version else 1 - rollout.share


def share_of(model: str, version: str, entity: str) -> float:
    """Compute an entity's place in [0, 1): even over entities, and another one at every rollout.

    >>> round(share_of("bike-demand", "v2", "rider-1"), 3)
    0.35
    """
    return hashed_place(b"canary", model, version, entity)


def hashed_place(use: bytes, *names: str) -> float:
    """Compute the place in [0, 1) of some names by their hash, independent of their place in any other use."""
    hashed = blake2b("\n".join(names).encode(), digest_size=8, person=use).digest()
    return int.from_bytes(hashed, "big") / 2.0**64


def is_chosen(model: str, rollout: Rollout, entity: str) -> bool:
    """Check whether the version of a rollout answers an entity: the same ones always, as many as its share."""
    if rollout.mode is not RolloutMode.CANARY or rollout.share is None:
        return False
    return share_of(model, rollout.version, entity) < rollout.share


class Serving(Generic[LoadedT]):
    """The serving versions of models, by their pointers.

    The pointer is one small read beside the writes of a prediction, at every call unless calls come fast: a promotion
    or a rollback takes effect at the next call, or within half a second. An artefact is loaded only when the pointer
    names another one, and replaces the one held only once it is whole. A champion that cannot be loaded leaves the one
    before it at work: a wrong pointer must not become an outage. Models beyond ``max_models`` are evicted, the longest
    unused first.
    """

    def __init__(
        self,
        pointer: Callable[[str], Pointer | None],
        load: Callable[[Servable], LoadedT],
        max_models: int = MAX_MODELS,
    ) -> None:
        self._pointer = pointer
        self._load = load
        self._max_models = max_models
        self._held: OrderedDict[str, dict[str, InService[LoadedT]]] = OrderedDict()
        self._champions: dict[str, InService[LoadedT]] = {}
        self._waits: dict[str, tuple[int, int]] = {}

    def line_up(self, model: str) -> LineUp[LoadedT]:
        """Find the versions that predict for a model now.

        Raises NoModel before the first deployment, ServedElsewhere for a champion of another server, and what loading
        raised if the champion cannot be loaded and none before it is held.
        """
        pointer = self._pointer(model)
        if pointer is None:
            raise NoModel.of(model)
        if pointer.is_external:
            raise ServedElsewhere(f"{pointer.champion} of {model!r} is served elsewhere; GET .../serving names it")
        held = self._held.pop(model, {})
        troubles: list[str] = []
        named = Servable(
            version=pointer.champion, artifact_key=pointer.artifact_key, artifact_digest=pointer.artifact_digest
        )
        before = self._champions.get(model)
        champion = self._load_now(named) if before is None else self._attempt(named, held, troubles) or before
        challenger = self._attempt(_in_rollout(pointer.rollout), held, troubles) if pointer.rollout else None
        self._hold(model, champion, challenger, pointer)
        return LineUp(model, champion, pointer.rollout, challenger, tuple(troubles))

    def warm_up(self, models: Sequence[str], has_time: Callable[[], bool]) -> dict[str, str]:
        """Load the serving version of each model for its next call; list the failures by model.

        At most as many models as are held: those held already, then others in the order given. A model without a
        version needs nothing.
        """
        held = [model for model in models if model in self._held]
        others = [model for model in models if model not in self._held]
        failures: dict[str, str] = {}
        for model in [*held, *others][: self._max_models]:
            if not has_time():
                break
            try:
                self.line_up(model)
            except (NoModel, ServedElsewhere):
                continue
            except Exception as error:  # noqa: BLE001  on any error of one model the others are warmed up
                failures[model] = _cause(error)
        return failures

    def _attempt(
        self, named: Servable, held: dict[str, InService[LoadedT]], troubles: list[str]
    ) -> InService[LoadedT] | None:
        """Find a version, held or loaded; None, and a trouble added, if it cannot be.

        A load that fails may be a download of many megabytes: after each failure twice as many calls pass before the
        next attempt.
        """
        digest = named.artifact_digest
        if (found := held.get(digest)) is not None:
            return InService(named.version, found.scorer)
        left, wait = self._waits.get(digest, (0, 0))
        if left > 0:
            self._waits[digest] = (left - 1, wait)
            troubles.append(f"{named.version} could not be loaded a short while ago")
            return None
        try:
            loaded = self._load_now(named)
        except Exception as error:  # noqa: BLE001  on any error of a new version the previous one can answer
            wait = min(max(1, 2 * wait), _MAX_WAIT)
            self._waits[digest] = (wait, wait)
            troubles.append(f"{named.version} cannot be loaded: {_cause(error)}")
            return None
        self._waits.pop(digest, None)
        return loaded

    def _load_now(self, named: Servable) -> InService[LoadedT]:
        return InService(named.version, self._load(named))

    def _hold(
        self, model: str, champion: InService[LoadedT], challenger: InService[LoadedT] | None, pointer: Pointer
    ) -> None:
        held: dict[str, InService[LoadedT]] = {}
        if champion.version == pointer.champion:
            held[pointer.artifact_digest] = champion
        if challenger is not None and pointer.rollout is not None:
            held[pointer.rollout.artifact_digest] = challenger
        self._held[model] = held
        self._champions[model] = champion
        while len(self._held) > self._max_models:
            evicted, _ = self._held.popitem(last=False)
            self._champions.pop(evicted, None)


def _cause(error: Exception) -> str:
    """Describe an error for the log; the messages of other libraries may quote values and are left out."""
    return error.message if isinstance(error, HindsightError) else type(error).__name__


def _in_rollout(rollout: Rollout) -> Servable:
    return Servable(version=rollout.version, artifact_key=rollout.artifact_key, artifact_digest=rollout.artifact_digest)
