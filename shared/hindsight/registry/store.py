"""The port of the registry: versions, datasets, the serving pointer and its deployments."""

from datetime import datetime
from typing import Protocol

from hindsight.registry.moves import PointerStep
from hindsight.registry.pointer import DeploymentRecord, Pointer
from hindsight.registry.version import DatasetRecord, VersionRecord


class Registry(Protocol):
    """Immutable versions and datasets, one serving pointer a model, and its append-only deployments."""

    def pointer(self, model: str) -> Pointer | None:
        """Read the serving pointer, None before the first deployment."""

    def version(self, model: str, version: str) -> VersionRecord:
        """Read one version. Raises NotFound."""

    def versions(self, model: str, limit: int, before: str | None = None) -> list[VersionRecord]:
        """List at most ``limit`` versions, newest first, older than the one named ``before``."""

    def put_version(self, model: str, record: VersionRecord) -> VersionRecord:
        """Store a version and return what is stored: of two records under one name the first stays."""

    def describe_version(self, model: str, bare: VersionRecord, record: VersionRecord) -> VersionRecord:
        """Store what is known of a version of which nothing was; return what is stored: the first description stays."""

    def dataset(self, model: str, dataset_id: str) -> DatasetRecord:
        """Read one dataset. Raises NotFound."""

    def datasets(self, model: str, limit: int, before: str | None = None) -> list[DatasetRecord]:
        """List at most ``limit`` datasets, newest first, older than the one named ``before``."""

    def put_dataset(self, model: str, record: DatasetRecord) -> DatasetRecord:
        """Store a dataset and return what is stored: of two records under one id the first stays."""

    def rewrite_dataset(self, model: str, record: DatasetRecord) -> None:
        """Store what a dataset is after an erasure; that it has expired stays. Raises NotFound."""

    def deployment(self, model: str, sequence: int) -> DeploymentRecord | None:
        """Read one deployment, None if the pointer has not moved that often."""

    def deployments(self, model: str, limit: int, before: int | None = None) -> list[DeploymentRecord]:
        """List at most ``limit`` deployments, newest first, of sequences below ``before``."""

    def move_pointer(self, model: str, step: PointerStep, *, fencing_token: int | None = None) -> Pointer:
        """Move the pointer from the place before the step's and append its deployment, both or neither.

        Raises Conflict if the pointer has moved meanwhile, or would name a version that has expired; StaleRun if a
        ``fencing_token`` is given and the run it belongs to no longer holds the model's lock.
        """

    def expire_version(self, model: str, version: str, at: datetime, pointer_sequence: int) -> bool:
        """Mark a version as expired, so that no move of the pointer can name it any more.

        Returns False, and marks nothing, if the pointer is no longer at the place given (0: there is none): the caller
        decided by another one. Raises NotFound.
        """

    def expire_dataset(self, model: str, dataset_id: str, at: datetime) -> None:
        """Mark a dataset as expired. Raises NotFound."""
