"""The reports on imports and replays."""

from dataclasses import dataclass

from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import NotFound
from hindsight.core.jobs import Job, JobKind, JobStore


@dataclass(frozen=True, slots=True)
class IntakeReports:
    """The jobs of models as operators see them."""

    configurations: ConfigurationStore
    jobs: JobStore

    def replay(self, model: str, replay_id: str) -> Job:
        """Read a replay. Raises NotFound."""
        job = self.jobs.load(model, JobKind.REPLAY, replay_id)
        if job is None:
            raise NotFound(f"the model {model!r} has no replay {replay_id!r}")
        return job

    def imports(self, model: str, limit: int) -> list[Job]:
        """List imports, newest first. Raises NotFound for a model that neither exists nor has any."""
        found = self.jobs.newest(model, JobKind.IMPORT, limit)
        if not found:
            self.configurations.current(model)
        return found
