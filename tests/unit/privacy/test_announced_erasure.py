"""An erasure is announced in an event that the bus takes, however many versions were trained on the entity's data."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.core import compact_json
from hindsight.core.jobs import Job, JobKind
from hindsight.privacy.entity_erasure import MAX_ANNOUNCED, EntityErasure
from hindsight.privacy.passes import Work
from hindsight.privacy.subject import Subject
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.registry import InMemoryRegistry

MODEL, AT = "bike-demand", datetime(2026, 3, 1, tzinfo=UTC)
BUS_TAKES = 256 * 1024


class NoVersions:
    """A bucket without versions."""

    def purge_all(self, _prefix: str) -> Iterator[int]:
        return iter(())


def test_announcement_names_the_newest_versions_and_fits_the_bus() -> None:
    registry, bus, unused = InMemoryRegistry(), InMemoryAnnouncements(), Any
    names = [f"v{number:05d}-{'x' * 100}" for number in range(3 * MAX_ANNOUNCED)]
    for number, name in enumerate(names):
        registry.put_version(MODEL, version_record(name, AT + timedelta(hours=number), dataset_id=f"d{number}"))
    erasure = EntityErasure(
        lake=InMemoryLake(),
        versions=NoVersions(),  # type: ignore[arg-type]
        collections=unused,  # type: ignore[arg-type]
        keys=unused,  # type: ignore[arg-type]
        registry=registry,
        configurations=unused,  # type: ignore[arg-type]
        announcements=bus,
        members=unused,  # type: ignore[arg-type]
    )
    job = Job(kind=JobKind.ERASURE, model=MODEL, job_id="e1", at=AT, started_at=AT, request={"subject": "s"})
    datasets = {f"d{number}" for number in range(len(names))}
    subject = Subject(model=MODEL, entity_id="customer-17", at=AT)

    erasure.finalize(Work(job=job, subject=subject, number=2, step=0, datasets=datasets), AT)

    (announced,) = bus.published
    assert [found["version"] for found in announced.data["versions"]] == names[: -MAX_ANNOUNCED - 1 : -1]
    assert len(compact_json.dumps(announced.detail())) < BUS_TAKES
