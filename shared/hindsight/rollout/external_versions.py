"""Versions that another server answers with: the first logged one becomes the champion, each gets its baseline."""

from dataclasses import dataclass
from datetime import datetime

from hindsight.config.model import ModelConfiguration, ServedBy
from hindsight.config.monitoring import FirstRows, SpanOfTime
from hindsight.core import compact_json
from hindsight.core.times import format_time
from hindsight.lake.object_store import Lake
from hindsight.profiles.codec import encode
from hindsight.profiles.logs.hourly import FoundProfile, first_profile, first_version, window_profile
from hindsight.profiles.reference import baseline_key, read_baseline, reference_key
from hindsight.registry.external_version import external_version
from hindsight.registry.moves import AuditInfo, Servable, promote
from hindsight.registry.pointer import Pointer
from hindsight.registry.store import Registry
from hindsight.rollout.deployment import PIPELINE_ACTOR

FIRST_ROWS = 5_000
"""Rows of the baseline of a version that was not trained here, where the configuration names none."""
_REASON = "the first version that was logged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalVersions:
    """The versions of models that are served elsewhere."""

    registry: Registry
    lake: Lake

    def update(
        self, configuration: ModelConfiguration, revision: int, pointer: Pointer | None, now: datetime
    ) -> Pointer | None:
        """Make the first logged version the champion, and build the champion's baseline once its rows are there.

        Returns the pointer as it is then. Raises Conflict if it moves meanwhile: the next run sees where to.
        """
        if configuration.serving is not ServedBy.EXTERNAL:
            return pointer
        if pointer is None and (pointer := self._adopt(configuration, revision, now)) is None:
            return None
        if pointer.is_external and read_baseline(self.lake, configuration.model, pointer.champion) is None:
            self._build_baseline(configuration, pointer, now)
        return pointer

    def _adopt(self, configuration: ModelConfiguration, revision: int, now: datetime) -> Pointer | None:
        model = configuration.model
        found = first_version(self.lake, model, now - configuration.monitoring.window, now)
        if found is None:
            return None
        version, since = found
        self.registry.put_version(model, external_version(version, revision, now))
        audit = AuditInfo(reason=_REASON, actor=PIPELINE_ACTOR, at=min(since, now))
        step = promote(None, Servable(version=version, artifact_key="", artifact_digest=""), audit)
        return self.registry.move_pointer(model, step)

    def _build_baseline(self, configuration: ModelConfiguration, pointer: Pointer, now: datetime) -> None:
        model, version = configuration.model, pointer.champion
        found = self._baseline_rows(configuration, pointer, now)
        if found is None:
            return
        self.lake.write_bytes(reference_key(model, version), encode(found.profile), "application/octet-stream")
        shown = {"rows": found.profile.rows, "from": format_time(found.since), "to": format_time(found.until)}
        # Last: what it describes is there.
        self.lake.write_bytes(baseline_key(model, version), compact_json.dumps(shown).encode(), "application/json")

    def _baseline_rows(self, configuration: ModelConfiguration, pointer: Pointer, now: datetime) -> FoundProfile | None:
        policy, model = configuration.monitoring.baseline, configuration.model
        if isinstance(policy, SpanOfTime):
            if now < policy.until:
                return None
            profile = window_profile(self.lake, model, policy.since, policy.until).all
            return FoundProfile(profile, policy.since, policy.until) if profile.rows else None
        rows = policy.rows if isinstance(policy, FirstRows) else FIRST_ROWS
        return first_profile(self.lake, model, pointer.champion, (pointer.serving_since, now), rows)
