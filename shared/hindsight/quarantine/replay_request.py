"""An operator's request to replay a model's quarantine."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from hindsight.core.jobs import Job, JobKind, name_job
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.store import QuarantineKey
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import DaysRequest, day_of
from hindsight.validation.timestamps import ClientTimestamps

KEPT = "kept:"
REPLAYED = "replayed"
JOINED = "joined"

Code = Annotated[RejectCode, Field(strict=False)]


class ReplayRequest(DaysRequest):
    """The body of a request; without codes or days it is for all of them."""

    codes: Annotated[list[Code], Field(min_length=1)] | None = None


@dataclass(frozen=True, slots=True)
class ReplayFilter:
    """The objects that a replay reads."""

    codes: frozenset[RejectCode]
    first: date | None
    last: date | None

    @classmethod
    def of(cls, job: Job) -> "ReplayFilter":
        """Read the filter a replay was asked for with."""
        request = job.request
        return cls(
            codes=frozenset(map(RejectCode, request.get("codes") or RejectCode)),
            first=day_of(request.get("from"), "from"),
            last=day_of(request.get("to"), "to"),
        )

    def takes(self, key: QuarantineKey) -> bool:
        """Check whether a replay looks at an object; those before the first day are not even listed."""
        return key.code in self.codes and (self.last is None or key.day <= self.last)


def replay_job(model: str, body: object, *, now: datetime, request_id: str, actor: str, trust: ClientTimestamps) -> Job:
    """Read the replay a request asks for, received ``now``, with trusted timestamps at the moment it names.

    Raises InvalidInput with the path at fault.
    """
    request = parse_item(ReplayRequest, body, "")
    request.days()
    asked = {
        "reason": request.reason,
        "codes": sorted(set(request.codes)) if request.codes else None,
        "from": request.first_day,
        "to": request.last_day,
    }
    return Job(
        kind=JobKind.REPLAY,
        model=model,
        job_id=name_job(JobKind.REPLAY, now, model, request_id),
        at=request.moment(now, trust),
        started_at=now,
        actor=actor,
        request={name: value for name, value in asked.items() if value is not None},
    )


def counted(replayed: int, joined: int, kept: Mapping[RejectCode, int]) -> dict[str, int]:
    """Build the counts of a replay as its job holds them."""
    return {REPLAYED: replayed, JOINED: joined, **{f"{KEPT}{code.value}": number for code, number in kept.items()}}
