"""Copies of a dataset's parts as Parquet, for people to read; training and verification read the parts themselves."""

from hindsight.datasets.building.snapshot import scratch_space
from hindsight.datasets.dataset import ANSWER_COLUMNS, PARTS, Manifest, parquet_name
from hindsight.datasets.parquet import PARQUET_TYPE, copy_without, write_parquet
from hindsight.lake.object_store import Lake

# What a label is, or is known by: some become known earlier, or are amended more often, than others.
LABEL_COLUMNS = frozenset({"label", "kind", "seq", "known_at", "rules_revision", "labelled_without_review"})


def store_parquet(lake: Lake, manifest: Manifest) -> None:
    """Write each part as Parquet, the holdout also without labels; doing it again replaces them."""
    with scratch_space() as (connection, scratch):
        for part in PARTS:
            stored, whole = scratch / f"{part}.npz", scratch / parquet_name(part)
            lake.download(manifest.part_key(part), stored)
            write_parquet(connection, stored, whole)
            lake.upload(whole, manifest.key(whole.name), PARQUET_TYPE)
        unlabelled = scratch / parquet_name("holdout", with_labels=False)
        copy_without(connection, scratch / parquet_name("holdout"), LABEL_COLUMNS.union(ANSWER_COLUMNS), unlabelled)
        lake.upload(unlabelled, manifest.key(unlabelled.name), PARQUET_TYPE)
