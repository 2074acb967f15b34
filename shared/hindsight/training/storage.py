"""The storage of a trained version in the lake: its description first, its artefact last."""

from hindsight.core import compact_json
from hindsight.lake.object_store import Lake, version_prefix
from hindsight.profiles.codec import CONTENT_TYPE, encode
from hindsight.profiles.reference import reference_key
from hindsight.training.description import VersionDescription
from hindsight.training.estimators.estimator_files import store_estimator
from hindsight.training.fitting.fit import TrainedVersion
from hindsight.training.model_card.page import CARD_PAGE, card_page

ARTIFACT = "model.skops"


def store(lake: Lake, trained: TrainedVersion, description: VersionDescription) -> None:
    """Store a version under its prefix; where there is an artefact, all that describes it is there too."""
    schema = trained.version.schema
    prefix = version_prefix(schema.model, schema.version)
    golden, card = {"rows": description.golden_rows}, description.card
    for name, document in {"schema": schema.to_json(), "golden": golden, "card": card}.items():
        lake.write_bytes(f"{prefix}{name}.json", compact_json.dumps(document).encode(), "application/json")
    lake.write_bytes(f"{prefix}{CARD_PAGE}", card_page(card).encode(), "text/html; charset=utf-8")
    # The first stays: sketches of the same rows are not the same to the bit, and a version never changes.
    reference = encode(description.reference)
    lake.replace_bytes(reference_key(schema.model, schema.version), reference, CONTENT_TYPE, expected=None)
    if description.estimator is not None:
        store_estimator(lake, schema.model, schema.version, description.estimator)
    lake.write_bytes(f"{prefix}{ARTIFACT}", trained.artifact, "application/octet-stream")
