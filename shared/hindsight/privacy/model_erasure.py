"""The erasure of a model, step by step: its items, its objects, and its lines in what many models share.

The items go first: functions that archive, pack or profile ask the tables, and then find nothing to write.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from hindsight.config.store import ConfigurationStore, Retirement
from hindsight.core.jobs import Job
from hindsight.lake.object_store import model_prefix
from hindsight.privacy.data_map import KINDS, SHARED
from hindsight.privacy.erasure import Step
from hindsight.privacy.passes import ErasurePass, Work
from hindsight.privacy.stores import ModelItemsEraser
from hindsight.privacy.subject import Subject, WholeModel

_REASON = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelErasure:
    """The steps of the erasure of a model; ``tables`` are those that hold its items, by their name in the result."""

    redactions: ErasurePass
    tables: Mapping[str, ModelItemsEraser]
    configurations: ConfigurationStore

    def subject(self, job: Job) -> Subject:
        """Build the model of a job."""
        return WholeModel(model=job.model, entity_id=job.model, at=job.at)

    def steps(self) -> Sequence[Step]:
        """List the steps of a pass."""
        return [
            *(partial(self._erase_items, table=table) for table in self.tables),
            *(partial(self._erase_objects, kind=kind) for kind in KINDS),
            *(partial(self.redactions.clean, location=location) for location in SHARED),
        ]

    def finalize(self, work: Work, now: datetime) -> None:
        """Put the record of the erasure in the place of the model's configurations."""
        job = work.job
        record = Retirement(reason=_REASON, actor=job.actor or "", at=job.at, job_id=job.job_id, erased_at=now)
        self.configurations.erase(job.model, record)

    def _erase_items(self, work: Work, table: str) -> Iterator[str]:
        for page in self.tables[table].erase(work.job.model, work.job.job_id, work.progress.after):
            work.progress.counts[table] += page.items
            if page.after:
                yield page.after

    def _erase_objects(self, work: Work, kind: str) -> Iterator[str]:
        """Remove all versions of a kind's objects; each run begins at the first that is left."""
        for count in self.redactions.versions.purge_all(model_prefix(kind, work.job.model)):
            work.progress.counts[kind] += count
            if count:  # with nothing left the step is done: a run that stopped here would never come past it
                yield ""
