"""The features that serving versions read, declared by the present configuration or not."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from hindsight.config.features import Feature, FeatureType
from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import NotFound
from hindsight.registry.pointer import Pointer
from hindsight.registry.store import Registry

ServedByModel = Callable[[str], Mapping[str, FeatureType]]


class ServedFeatures:
    """The features of versions, which are those of the configuration that each was trained by.

    A version never changes, nor does a revision: each is read once in the life of the process.
    """

    def __init__(self, registry: Registry, configurations: ConfigurationStore) -> None:
        self._registry = registry
        self._configurations = configurations
        self._revisions: dict[tuple[str, str], int] = {}

    def read_by(self, model: str, versions: Iterable[str]) -> dict[str, FeatureType]:
        """Find what some versions read; where they differ, as the first of them does.

        A version without a record adds nothing: that must not keep what serves from predicting.
        """
        return {name: feature.type for name, feature in self.definitions(model, versions).items()}

    def definitions(self, model: str, versions: Iterable[str]) -> dict[str, Feature]:
        """Find the features that some versions read as they were declared; see ``read_by``."""
        found: dict[str, Feature] = {}
        for version in versions:
            with suppress(NotFound):
                found = dict(self._read(model, version)) | found
        return found

    def _read(self, model: str, version: str) -> Mapping[str, Feature]:
        revision = self._revisions.get((model, version))
        if revision is None:
            revision = self._registry.version(model, version).configuration_revision
            self._revisions[model, version] = revision
        return self._configurations.revision(model, revision).configuration.features

    def of(self, model: str, pointer: Pointer | None) -> dict[str, FeatureType]:
        """Find what the champion reads, and the version in a rollout beside it; nothing where nothing serves."""
        return self.read_by(model, serving_versions(pointer))


def serving_versions(pointer: Pointer | None) -> tuple[str, ...]:
    """List the versions that serve: the champion, and the one in a rollout."""
    if pointer is None:
        return ()
    return (pointer.champion, *([pointer.rollout.version] if pointer.rollout else []))


def kept_for_serving(declared: Mapping[str, FeatureType], served: Mapping[str, FeatureType]) -> dict[str, FeatureType]:
    """Select the features that serving versions read and that are not declared so: those are taken for them alone."""
    return {name: kind for name, kind in served.items() if declared.get(name) is not kind}


def with_kept_features(configuration: ModelConfiguration, served: Mapping[str, Feature]) -> ModelConfiguration:
    """Add to a configuration the features that it no longer declares and that serving versions still read.

    For what watches the inputs of those versions; one that is declared by another type stays as it is declared.
    """
    kept = {name: feature for name, feature in served.items() if name not in configuration.features}
    return configuration.model_copy(update={"features": {**configuration.features, **kept}}) if kept else configuration
