"""An operator's request to replay a model's quarantine."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput
from hindsight.core.jobs import Job, JobKind, job_id
from hindsight.core.times import format_time
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.store import QuarantineKey
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import DaysRequest, day_of
from hindsight.validation.timestamps import ClientTimestamps

KEPT = "kept:"
REPLAYED = "replayed"
SETTLED = "settled"

Code = Literal["malformed", "unknown_model", "invalid", "conflict", "unmatched", "rate_limited"]


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


def replay_job(model: str, body: object, *, now: datetime, request_id: str, trust: ClientTimestamps) -> Job:
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
        job_id=job_id(now, model, request_id),
        at=request.moment(now, trust),
        request={name: value for name, value in asked.items() if value is not None},
    )


def message(job: Job) -> str:
    """Build the message by which a replay waits for its work."""
    return compact_json.dumps({"model": job.model, "replay_id": job.job_id})


def parse_message(body: str) -> tuple[str, str]:
    """Read the model and the id of the replay that a message names. Raises InvalidInput."""
    found = compact_json.loads(body)
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in ("model", "replay_id")):
        raise InvalidInput("the message names no replay")
    return found["model"], found["replay_id"]


def shown_replay(job: Job) -> dict[str, Any]:
    """Show a replay to operators."""
    kept = {name.removeprefix(KEPT): number for name, number in job.counts.items() if name.startswith(KEPT)}
    return {
        "replay_id": job.job_id,
        "status": job.status.value,
        "requested_at": format_time(job.at),
        **job.request,
        "counts": {REPLAYED: job.counts.get(REPLAYED, 0), SETTLED: job.counts.get(SETTLED, 0), "kept": kept},
    }


def counted(replayed: int, settled: int, kept: Mapping[RejectCode, int]) -> dict[str, int]:
    """Build the counts of a replay as its job holds them."""
    return {REPLAYED: replayed, SETTLED: settled, **{f"{KEPT}{code.value}": number for code, number in kept.items()}}
