"""The features of a prediction, checked against those the configuration declares."""

from collections.abc import Mapping
from types import MappingProxyType

from hindsight.config.documents.spelling import meant
from hindsight.config.features import Feature, FeatureType
from hindsight.config.labels import canonical_text
from hindsight.config.types import MAX_NUMBER
from hindsight.core import compact_json
from hindsight.core.errors import Fault
from hindsight.entities.prediction import Features, FeatureValue

NOTHING_SERVED: Mapping[str, FeatureType] = MappingProxyType({})
MAX_TEXT = 256
MAX_FEATURES_BYTES = 256 * 1024

_EXPECTED = {
    FeatureType.NUMERIC: f"must be a number from {-MAX_NUMBER:g} to {MAX_NUMBER:g}",
    FeatureType.CATEGORICAL: f"must be text of at most {MAX_TEXT} characters, a whole number or a boolean",
    FeatureType.BOOLEAN: "must be true or false",
}


def check_features(
    values: object, declared: Mapping[str, Feature], path: str, served: Mapping[str, FeatureType] = NOTHING_SERVED
) -> tuple[Features, list[Fault]]:
    """Read every declared feature, null where it is missing, and what is wrong with the values given.

    So is read what is ``served``: the features of the versions that serve, which must be able to read the values,
    with any present declaration. A number outside its declared range is kept: that is for monitoring to see, not for
    capture to lose.
    """
    if not isinstance(values, dict):
        return {}, [Fault(path, "must be an object")]
    kinds = {name: feature.type for name, feature in declared.items()}
    known = {**kinds, **served}
    unknown = values.keys() - known.keys()
    faults = [
        Fault(
            f"{path}.{name[:MAX_TEXT]}", f"is not a declared feature{meant(name, known) if len(unknown) == 1 else ''}"
        )
        for name in unknown
    ]
    features: dict[str, FeatureValue] = {}
    for name, kind in known.items():
        value, is_changed = values.get(name), kinds.get(name, kind) is not kind
        # As text a version can read any value.
        is_text_to_it = is_changed and kind is FeatureType.CATEGORICAL and _fits(value, kinds[name])
        if value is None or is_text_to_it or _fits(value, kind):
            features[name] = value
        else:
            why = ": so does the version that serves read it" if is_changed else ""
            faults.append(Fault(f"{path}.{name}", _EXPECTED[kind] + why))
    if not faults and len(compact_json.dumps(features).encode()) > MAX_FEATURES_BYTES:
        faults.append(Fault(path, f"is larger than {MAX_FEATURES_BYTES} bytes"))
    return features, sorted(faults, key=lambda fault: fault.path)


def _fits(value: object, kind: FeatureType) -> bool:
    if kind is FeatureType.BOOLEAN:
        return isinstance(value, bool)
    if kind is FeatureType.NUMERIC:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int | str) and len(canonical_text(value)) <= MAX_TEXT
