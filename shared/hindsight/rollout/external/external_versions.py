"""Versions that another server answers with: the first logged one becomes the champion, each gets its baseline."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hindsight.config.model import ModelConfiguration, ServedBy
from hindsight.config.monitoring import FirstRows, SpanOfTime, StoredRows
from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput, NotFound
from hindsight.core.times import format_time, parse_time
from hindsight.lake.object_store import Lake
from hindsight.profiles.codec import decode, encode
from hindsight.profiles.logs.hourly import FoundProfile, first_hour, first_version, more_rows, window_profile
from hindsight.profiles.logs.logged_versions import logged_beside
from hindsight.profiles.profile import Profile
from hindsight.profiles.reference import baseline_key, partial_key, read_baseline, reference_key
from hindsight.registry.external_version import external_version, is_made_elsewhere
from hindsight.registry.moves import AuditInfo, Servable, promote
from hindsight.registry.pointer import Pointer
from hindsight.registry.store import Registry
from hindsight.rollout.deployment import PIPELINE_ACTOR
from hindsight.rollout.external.stored_baseline import StoredBaselines

MAX_HOURS = 200
"""Hours of a baseline that are read in one go; the next run reads on where this one stopped."""

RECENT = timedelta(days=1)
"""A version beside the champion is met by what was logged in that time."""

SETTLED_AFTER = timedelta(hours=1)
"""The time after which an hour's profile is taken to be complete: predictions are profiled minutes after they came."""

FIRST_ROWS = 5_000
"""Rows of the baseline of a version that was not trained here, where the configuration names none."""
Policy = str | FirstRows | SpanOfTime | StoredRows
_REASON = "the first version that was logged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalVersions:
    """The versions of models that are served elsewhere."""

    registry: Registry
    lake: Lake
    baselines: StoredBaselines

    def update(
        self, configuration: ModelConfiguration, revision: int, pointer: Pointer | None, now: datetime
    ) -> Pointer | None:
        """Make the first logged version the champion, and add to the baselines of the champion and of those beside it.

        Returns the pointer as it is then. Raises Conflict if it moves meanwhile: the next run sees where to.
        """
        if configuration.serving is not ServedBy.EXTERNAL:
            return pointer
        if pointer is None and (pointer := self._adopt(configuration, revision, now)) is None:
            return None
        recent = window_profile(self.lake, configuration.model, now - RECENT, now)
        beside = logged_beside(self.lake, configuration.model, recent, pointer.champion)
        for version in [pointer.champion, *(found.version for found in beside)]:
            if is_made_elsewhere(self.registry, configuration.model, version):
                self._build_baseline(configuration, version, pointer, now)
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

    def _build_baseline(self, configuration: ModelConfiguration, version: str, pointer: Pointer, now: datetime) -> None:
        """Add the hours that are over to a version's baseline; once it is complete, drift is measured against it."""
        model = configuration.model
        policy, path = self._policy(configuration, version)
        known = read_baseline(self.lake, model, version)
        asked = dump_policy(policy)
        if known is not None and known["policy"] == asked and known["is_complete"]:
            return
        if isinstance(policy, StoredRows):
            self._build_stored(configuration, version, policy, path, now)
            return
        if known is not None and "first_logged_at" in known:
            logged = parse_time(known["first_logged_at"])
        elif (first := self._first_logged(configuration, version, pointer, now)) is not None:
            logged = first
        else:
            return
        if known is None or known["policy"] != asked:
            since = policy.since if isinstance(policy, SpanOfTime) else logged
            so_far = FoundProfile(Profile.empty(), since, since)
        else:
            profile = decode(self.lake.read_bytes(partial_key(model, version)))
            so_far = FoundProfile(profile, parse_time(known["from"]), parse_time(known["to"]))
        found, is_complete = self._more(configuration, version, so_far, now - SETTLED_AFTER)
        if is_complete:
            self.lake.write_bytes(reference_key(model, version), encode(found.profile), "application/octet-stream")
        self.lake.write_bytes(partial_key(model, version), encode(found.profile), "application/octet-stream")
        span = {"from": format_time(found.since), "to": format_time(found.until)}
        shown = {"rows": found.profile.rows, **span, "is_complete": is_complete, "policy": asked}
        shown["first_logged_at"] = format_time(logged)
        # Last: what it describes is there.
        self.lake.write_bytes(baseline_key(model, version), compact_json.dumps(shown).encode(), "application/json")

    def _policy(self, configuration: ModelConfiguration, version: str) -> tuple[Policy, str]:
        """Find what a version's baseline is to be of, and where that is said: its own rows stand for its training."""
        policy = configuration.monitoring.baseline
        if policy == "training":
            with suppress(NotFound):
                registered = self.registry.version(configuration.model, version).registration.get("baseline_key")
                if registered is not None:
                    return StoredRows(key=registered), "baseline_key"
        return policy, "monitoring.baseline.key"

    def _build_stored(
        self, configuration: ModelConfiguration, version: str, policy: StoredRows, path: str, now: datetime
    ) -> None:
        """Build a baseline of uploaded rows; rows that cannot be read are a problem that the check shows."""
        try:
            self.baselines.build(configuration, version, policy.key, path, now)
        except InvalidInput as error:
            shown = {"rows": 0, "is_complete": False, "policy": dump_policy(policy), "problem": error.message}
            content = compact_json.dumps(shown).encode()
            self.lake.write_bytes(baseline_key(configuration.model, version), content, "application/json")

    def _first_logged(
        self, configuration: ModelConfiguration, version: str, pointer: Pointer, now: datetime
    ) -> datetime | None:
        """Find the hour of a version's first predictions, as a challenger's or a champion's.

        A version is met within a day of its first predictions, so that the window has them; a champion that was made
        so long after them has them since it serves.
        """
        start = now - max(configuration.monitoring.window, RECENT)
        if version == pointer.champion:
            start = min(start, pointer.serving_since)
        return first_hour(self.lake, configuration.model, version, start, now)

    def _more(
        self, configuration: ModelConfiguration, version: str, so_far: FoundProfile, settled: datetime
    ) -> tuple[FoundProfile, bool]:
        """Read on, so many hours at a time; say whether the baseline is complete."""
        model, policy = configuration.model, configuration.monitoring.baseline
        if isinstance(policy, SpanOfTime):
            if settled < policy.until:
                return so_far, False
            profile = window_profile(self.lake, model, policy.since, policy.until).all
            return FoundProfile(profile, policy.since, policy.until), profile.rows > 0
        rows = policy.rows if isinstance(policy, FirstRows) else FIRST_ROWS
        found = more_rows(self.lake, model, version, so_far, settled, rows=rows, most_hours=MAX_HOURS)
        return found, found.profile.rows >= rows


def dump_policy(policy: Policy) -> Any:
    """Write a policy as a baseline keeps it, to know when another one is configured."""
    return policy if isinstance(policy, str) else policy.model_dump(mode="json", by_alias=True)
