"""The drift check of a version: its reads from the lake, its significance level and its page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hindsight.config.model import ModelConfiguration
from hindsight.config.monitoring import DriftWeights, KnownChange
from hindsight.core.errors import NotFound, UnreadableObject
from hindsight.evaluation.sequential.alpha_spending import level_of
from hindsight.lake.object_store import Lake, version_prefix
from hindsight.monitoring.drift.drift_page import ComparedProfiles, PageHeading, drift_page
from hindsight.monitoring.drift.input_drift import DriftReport, check_drift
from hindsight.monitoring.drift.recent_window import read_recent_rows
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from hindsight.profiles.codec import decode
from hindsight.profiles.logs.hourly import WindowProfile
from hindsight.profiles.profile import Profile
from hindsight.profiles.reference import reference_key


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDrift:
    """A drift check's report and the profiles it compared."""

    report: DriftReport
    compared: ComparedProfiles
    heading: PageHeading

    def page(self) -> str:
        """Render the check as an HTML page."""
        return drift_page(self.report, self.compared, self.heading)


def check_version_drift(
    lake: Lake, configuration: ModelConfiguration, version: MonitoredVersion, predictions: WindowProfile, now: datetime
) -> VersionDrift:
    """Compare the predictions of a window that ends now with a version's training reference.

    Of the champion the features are those of all predictions; of a version beside it those of its own, which may be
    of a part of the traffic, and the newest rows are not compared apart. A version without a reference, or with a
    damaged one, gets the verdict insufficient. Damaged hours are left out, and the reason gives their number. Where the
    window holds a part of a known change, the reason names it, and what would be drift is suspect.
    """
    monitoring, of_version = configuration.monitoring, predictions.of_version(version.version)
    window, recent = of_version, None
    if version.champion is None:
        window = predictions.all
        recent = read_recent_rows(
            lake, configuration.model, now, monitoring.window, min_rows=monitoring.min_rows, window_rows=window.rows
        )
    compared = ComparedProfiles(
        reference=_reference(lake, configuration.model, version.version),
        window=window,
        champion_window=of_version,
        recent=recent,
    )
    report = check_drift(
        compared.reference,
        compared.window,
        compared.champion_window,
        configuration,
        level=level_of(monitoring.drift.alpha, version.since, now),
        recent=compared.recent,
        importances=_importances(lake, configuration.model, version.version, monitoring.drift.weights),
    )
    if predictions.unreadable:
        report = replace(report, reason=f"{report.reason}; {_left_out(len(predictions.unreadable))}")
    if known := monitoring.known_at(now):
        report = _with_known_changes(report, known)
    heading = PageHeading(model=configuration.model, version=version.version, start=now - monitoring.window, end=now)
    return VersionDrift(report=report, compared=compared, heading=heading)


def _left_out(hours: int) -> str:
    return f"{hours} {'hour' if hours == 1 else 'hours'} could not be read"


def _with_known_changes(report: DriftReport, known: Sequence[KnownChange]) -> DriftReport:
    """Name the known changes in a window; drift that they may have made is only suspect."""
    reasons = [f"{change.reason} ({change.since:%Y-%m-%d})" for change in known]
    return replace(
        report,
        verdict=Verdict.SUSPECT if report.verdict is Verdict.DRIFT else report.verdict,
        reason=f"known change: {', '.join(reasons)}; {report.reason}",
        known_changes=reasons,
    )


def _importances(lake: Lake, model: str, version: str, weights: DriftWeights) -> dict[str, float]:
    """Read the loss of the metric without each feature from a version's card; none where it has no card."""
    if weights is not DriftWeights.IMPORTANCE:
        return {}
    try:
        card = json.loads(lake.read_bytes(f"{version_prefix(model, version)}card.json"))
    except NotFound:
        return {}
    measured = ((one["name"], one["importance"]) for one in card["features"])
    return {name: max(0.0, found["loss"]) for name, found in measured if found is not None}


def _reference(lake: Lake, model: str, version: str) -> Profile:
    try:
        return decode(lake.read_bytes(reference_key(model, version)))
    except (NotFound, UnreadableObject):
        return Profile.empty()
