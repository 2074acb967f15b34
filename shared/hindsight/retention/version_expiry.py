"""The expiry of old versions and datasets: a mark first, then the removal of their objects from the lake."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.core.times import moment_name
from hindsight.datasets.members import MemberStore
from hindsight.lake.object_store import Lake, model_prefix
from hindsight.registry.store import Registry
from hindsight.registry.version import DatasetRecord, VersionRecord
from hindsight.registry.version_retention import Keep, expired_datasets, expired_versions, protected_versions

# The pages of a model card and a dataset's manifest are small, and what a decision of long ago is explained by; from
# the manifest the dataset can be built again as long as the objects it names exist.
KEPT_NAMES = frozenset({"card.json", "card.html", "manifest.json"})
# Of a run's candidates one is recorded, within the day; the others belong to no version.
UNRECORDED_FOR = timedelta(days=7)
_ALL = 1_000_000
_VERSION_KEY = re.compile(r"version=(?P<name>v(?P<moment>\d{8}T\d{6}Z)[^/]*)/(?P<file>.+)")
# Versions that were made elsewhere have any name, with slashes too, and no more than a baseline and an estimator.
_NAMED_KEY = re.compile(r"(?:version=)?(?P<name>.+)/(?P<file>[^/]+)")
_BASELINES = frozenset({"baseline.json", "baseline.profile", "reference.profile"})
_DATASET_KEY = re.compile(r"(?P<name>d(?P<moment>\d{8}T\d{6}Z)[^/]*)/(?P<file>.+)")


@dataclass(slots=True)
class ExpiryReport:
    """The counts of a sweep's expired objects; ``is_complete`` if its time sufficed."""

    versions: int = 0
    datasets: int = 0
    objects: int = 0
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class VersionExpiry:
    """The expiry of a model's versions and datasets.

    A mark comes before the objects go, so that nothing that lost its objects can be moved to; and what a crash leaves
    of a marked version the next sweep removes.
    """

    registry: Registry
    lake: Lake
    keep: Keep
    members: MemberStore

    def sweep(self, model: str, now: datetime, has_time: Callable[[], bool]) -> ExpiryReport:
        """Expire what is past its retention while it ``has_time``; the next sweep goes on with the rest."""
        report = ExpiryReport()
        versions = self._expire_versions(model, now, report)
        datasets = self._expire_datasets(model, now, versions, report)
        expirables = (
            _Expirable(
                model_prefix("models", model), _VERSION_KEY, {kept.version: kept.expired_at for kept in versions}
            ),
            _Expirable(
                model_prefix("datasets", model), _DATASET_KEY, {kept.dataset_id: kept.expired_at for kept in datasets}
            ),
        )
        without_members = set[str]()
        for name, key in [found for kind in expirables for found in kind.removable(self.lake, now, self.keep.age)]:
            if not has_time():
                report.is_complete = False
                break
            if key.startswith(model_prefix("datasets", model)) and name not in without_members:
                # Before its objects: as long as there is one, the next sweep comes back to it.
                self.members.forget(model, name)
                without_members.add(name)
            self.lake.delete(key)
            report.objects += 1
        return report

    def _expire_versions(self, model: str, now: datetime, report: ExpiryReport) -> list[VersionRecord]:
        pointer, deployments = self.registry.pointer(model), self.registry.deployments(model, _ALL)
        protected = protected_versions(pointer, deployments, self.keep.newest)
        sequence = pointer.sequence if pointer else 0
        for record in expired_versions(self.registry.versions(model, _ALL), protected, self.keep, now):
            if not self.registry.expire_version(model, record.version, now, sequence):
                break  # the pointer has moved: tomorrow is early enough to look again
            report.versions += 1
        return self.registry.versions(model, _ALL)

    def _expire_datasets(
        self, model: str, now: datetime, versions: Iterable[VersionRecord], report: ExpiryReport
    ) -> list[DatasetRecord]:
        used = {record.dataset_id for record in versions if record.expired_at is None}
        for record in expired_datasets(self.registry.datasets(model, _ALL), used, self.keep, now):
            self.registry.expire_dataset(model, record.dataset_id, now)
            report.datasets += 1
        return self.registry.datasets(model, _ALL)


@dataclass(frozen=True, slots=True)
class _Expirable:
    """Objects of one kind: their prefix, the pattern of their keys, and the recorded names with when they expired."""

    prefix: str
    pattern: re.Pattern[str]
    recorded: Mapping[str, datetime | None]

    def removable(self, lake: Lake, now: datetime, age: timedelta) -> Iterator[tuple[str, str]]:
        """List names and keys of expired objects, of those that a run made and never recorded, and of old baselines.

        The last are of versions that another server logged and that were never registered.
        """
        for entry in lake.entries(self.prefix):
            made, named = (found.fullmatch(entry.key.removeprefix(self.prefix)) for found in (self.pattern, _NAMED_KEY))
            if named is not None and named["name"] in self.recorded:
                made = named
            if made is not None and made["name"] in self.recorded:
                if self.recorded[made["name"]] is not None and made["file"] not in KEPT_NAMES:
                    yield made["name"], entry.key
            elif made is not None:
                # As texts: a key that another hand has put there may name a moment that no calendar has.
                if made["moment"] < moment_name(now - UNRECORDED_FOR):
                    yield made["name"], entry.key
            elif named is not None and named["file"] in _BASELINES and entry.written_at < now - age:
                yield named["name"], entry.key
