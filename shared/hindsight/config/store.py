"""The stored configurations of models, revision by revision."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import NotFound
from hindsight.core.jobs import Job, JobKind, JobStore, find_job
from hindsight.core.times import format_time

_RETIRED = "the model was retired; in service again it takes the same request"
_ERASED = "the model is being erased, and all that it kept"


@dataclass(frozen=True, slots=True, eq=False)
class ConfigurationRevision:
    """A configuration and its number, counted from 1; the object is the key of caches derived from it."""

    revision: int
    configuration: ModelConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class SentDocument:
    """A configuration as an operator sent it: its text and its media type, who sent it and why, where that is known."""

    text: str
    content_type: str
    actor: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredConfiguration:
    """One revision with the document that became it. Of equal configurations sent again the first document stays."""

    revision: int
    at: datetime
    sent: SentDocument
    configuration: ModelConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """The audit record of a retired model; ``job_id`` is the erasure of what was kept of it, None if none was asked.

    It outlives the erasure: ``erased_at`` is when that was over, and ``erased_revisions`` are the numbers of
    configurations that are used up. A warm process may know one of them by its number.
    """

    reason: str
    actor: str
    at: datetime
    job_id: str | None = None
    erased_at: datetime | None = None
    erased_revisions: int = 0

    @property
    def is_being_erased(self) -> bool:
        """True from the request for the erasure to its end."""
        return self.job_id is not None and self.erased_at is None


def completed(stored: Retirement | None, asked: Retirement) -> Retirement:
    """Choose the record to store of a model that is retired, perhaps again: the first.

    An erasure completes it, unless another is under way.
    """
    if stored is None:
        return asked
    if asked.job_id is None or stored.is_being_erased:
        return stored
    return replace(stored, job_id=asked.job_id, erased_at=None)


def shown_retirement(retirement: Retirement) -> dict[str, Any]:
    """Show the record of a retirement as operators see it."""
    shown = {"reason": retirement.reason, "actor": retirement.actor, "at": format_time(retirement.at)}
    return shown if retirement.job_id is None else {**shown, "job_id": retirement.job_id}


def canonical_document(configuration: ModelConfiguration) -> SentDocument:
    """Write a configuration out as the JSON document that means the same, every default in it."""
    return SentDocument(text=configuration.model_dump_json(by_alias=True), content_type="application/json")


class ConfigurationStore(Protocol):
    """Append-only revisions of every model's configuration."""

    def current(self, model: str) -> ConfigurationRevision:
        """Read the newest revision. Raises NotFound for an unknown model, ModelRetired for a retired one."""

    def newest(self, model: str) -> ConfigurationRevision:
        """Read the newest revision, of a retired model too. Raises NotFound for one that is unknown or erased."""

    def revision(self, model: str, revision: int) -> ConfigurationRevision:
        """Read one revision. Raises NotFound."""

    def stored(self, model: str, revision: int | None = None) -> StoredConfiguration:
        """Read one revision as it was sent, the newest by default. Raises NotFound."""

    def revisions(self, model: str, limit: int, before: int | None = None) -> list[StoredConfiguration]:
        """List at most ``limit`` revisions below ``before``, the newest first. Raises NotFound for an unknown model."""

    def put(self, configuration: ModelConfiguration, now: datetime, sent: SentDocument | None = None) -> int:
        """Store a configuration; return its revision, the current one if nothing in it changed.

        Without a document its canonical JSON counts as what was sent. A retired model is in service again, an erased
        one is a new model. Raises Conflict while it is being erased, Unavailable where other writers keep being faster.
        """

    def retire(self, model: str, retirement: Retirement) -> Retirement:
        """Take a model out of service; its revisions stay readable. Return the stored record: of two the first stays.

        A record with a ``job_id`` completes one without: from then on the model is in no list, and its revisions are
        not read. Raises NotFound for an unknown model, and for an erased one unless an erasure is asked for again.
        """

    def erase(self, model: str, erased: Retirement) -> None:
        """Replace all that is stored of a model by the record of its erasure, if that is still the one under way."""

    def retirement(self, model: str) -> Retirement | None:
        """Read the record of a retired model, None of one in service. Raises NotFound for an unknown model."""

    def models(self, *, retired: bool = False) -> list[str]:
        """List the names of all models in service, sorted, or of those and of the ``retired`` ones."""


def is_erased(configurations: ConfigurationStore, model: str) -> bool:
    """Decide whether a model is erased, or being erased: what comes late of it is not kept anywhere."""
    try:
        retirement = configurations.retirement(model)
    except NotFound:
        return False
    return retirement is not None and retirement.job_id is not None


def find_work(
    jobs: JobStore,
    configurations: ConfigurationStore,
    model: str,
    job_id: str,
    kind: JobKind,
    *,
    clock: Callable[[], datetime],
    of_retired: bool = False,
) -> Job | None:
    """Find the job that a worker is to do; one whose model has left ends here, failed, with that as its reason.

    Of a retired model only what is ``of_retired`` is done, which changes nothing of it. None where another worker was
    faster, or an erasure of the model has taken the job along. Raises NotFound for a job that never was.
    """
    try:
        retirement = configurations.retirement(model)
    except NotFound:  # a model that never was may have a quarantine
        retirement = None
    is_gone = retirement is not None and retirement.job_id is not None
    try:
        job = find_job(jobs, model, job_id, kind)
    except NotFound:
        if is_gone:
            return None
        raise
    if job.is_over or retirement is None or (of_retired and not is_gone):
        return job
    ended = job.failed(clock(), _ERASED if is_gone else _RETIRED)
    return ended if jobs.save(ended) else None


def remembered(configurations: ConfigurationStore) -> Callable[[str], ModelConfiguration | None]:
    """Build the look-up of current configurations that reads each once; None for a model that does not exist."""

    @cache
    def find(model: str) -> ModelConfiguration | None:
        try:
            return configurations.current(model).configuration
        except NotFound:
            return None

    return find
