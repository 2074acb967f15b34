"""The version that serves, loaded once and for as long as the pointer names it."""

from collections.abc import Callable
from typing import Generic, TypeVar

from shared.errors import NoModel
from shared.registry.pointer import Pointer
from shared.registry.store import Registry

LoadedT = TypeVar("LoadedT")


class Serving(Generic[LoadedT]):
    """What serves each model, by its pointer.

    The pointer is read at every call: one small read beside the writes of a prediction, and a promotion or a
    rollback takes effect at once. The artefact is loaded only when the pointer names another one.
    """

    def __init__(self, registry: Registry, load: Callable[[Pointer], LoadedT]) -> None:
        self._registry = registry
        self._load = load
        self._loaded: dict[str, tuple[str, LoadedT]] = {}

    def version(self, model: str) -> tuple[str, LoadedT]:
        """Return the champion's name and the champion itself.

        Raises NoModel before the first deployment, UnusableArtifact if its artefact cannot be loaded.
        """
        pointer = self._registry.pointer(model)
        if pointer is None:
            raise NoModel(f"no version of {model!r} has been deployed yet")
        held = self._loaded.get(model)
        if held is None or held[0] != pointer.artifact_digest:
            # Loaded before it replaces the one held: a load that fails must not leave half a version behind.
            held = (pointer.artifact_digest, self._load(pointer))
            self._loaded[model] = held
        return pointer.champion, held[1]
