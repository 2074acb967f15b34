"""Joining of all feedback: by prediction as it names them, by entity or reference once it is matched."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hindsight.config.labels import EXPOSED
from hindsight.config.store import ConfigurationRevision, ConfigurationStore
from hindsight.core.errors import NotFound, Unavailable
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.joining.effects import EffectCounts, FeedbackEffect
from hindsight.labels.joining.join import JoinCount, JoinReport, LabelJoiner
from hindsight.labels.joining.match_requests import MatchRequest
from hindsight.labels.matching.matcher import KeyMatcher
from hindsight.labels.matching.matches import Matches
from hindsight.labels.matching.recipients import MAX_MATCHED
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.store import Quarantine

_ROUNDS = 20
_REFUSED = "the feedback_id was used before with another body; the first received stays"
_CROWDED = f"more than {MAX_MATCHED} predictions share what it names; it labels the first of them"
_BUSY = "predictions that share a key keep coming in; try again"
_UNMATCHED = "no prediction of what it names came before the match timeout"


@dataclass(frozen=True, slots=True)
class SharedEvents:
    """Events of a model by entity or reference, and predictions with such a key, to be matched anew."""

    model: str
    events: Sequence[Feedback]
    predictions: Sequence[PredictionKey]


@dataclass(slots=True)
class MatchRun:
    """The result of one run over predictions; ``rest`` is what time did not suffice for."""

    report: JoinReport = field(default_factory=JoinReport)
    rest: MatchRequest | None = None


@dataclass(frozen=True, slots=True)
class FeedbackJoiner:
    """The joiner of feedback by any key; everything may be repeated at any time."""

    joiner: LabelJoiner
    matcher: KeyMatcher
    quarantine: Quarantine
    configurations: ConfigurationStore

    def join(self, events: Iterable[Feedback]) -> JoinReport:
        """Join events of known models. Raises Unavailable; joining all of them again is safe."""
        named, shared = list[Feedback](), dict[str, list[Feedback]]()
        for event in events:
            if event.prediction_id is not None:
                named.append(event)
            else:
                shared.setdefault(event.model, []).append(event)
        report = self.joiner.join(named)
        for model, found in shared.items():
            revision = self.configurations.current(model)
            report.merge(self._deliver(model, self.matcher.match_events(found, revision), revision))
        return report

    def join_predictions(self, request: MatchRequest, has_time: Callable[[], bool]) -> MatchRun:
        """Join the events that share a key with predictions that were entered, while there is time.

        Raises Unavailable; doing it again is safe.
        """
        run = MatchRun()
        try:
            revision = self.configurations.current(request.model)
        except NotFound:
            # Retired or erased meanwhile: nothing of it is joined any more.
            return run
        names = request.prediction_ids
        found = self.joiner.store.predictions([PredictionKey(request.model, name) for name in names])
        for place, name in enumerate(names):
            if place and not has_time():
                run.rest = MatchRequest(request.model, names[place:])
                break
            if (prediction := found.get(PredictionKey(request.model, name))) is None:
                continue
            after = None if place else request.after
            for matches, reached in self.matcher.match_prediction(prediction, revision, after):
                run.report.merge(self._deliver(request.model, matches, revision))
                if not has_time():
                    run.rest = MatchRequest(request.model, names[place:], reached)
                    return run
        return run

    def relabel(
        self, events: Mapping[PredictionKey, Sequence[Feedback]], shared: SharedEvents, at: datetime
    ) -> JoinReport:
        """Label predictions by the rules of now, known from ``at``, once raw events are merged in and matched anew.

        What is not taken is in quarantine already. Raises Unavailable; doing it again is safe.
        """
        revision = self.configurations.current(shared.model)
        if not revision.configuration.labels.keys:
            return self.joiner.relabel(events, at)
        found = self._matched_anew(shared, revision)
        merged = {key: [*events.get(key, ()), *found.deliveries.get(key, ())] for key in {**events, **found.deliveries}}
        report = self.joiner.relabel(merged, at)
        for _ in range(_ROUNDS):
            found = self.matcher.changed(found, revision)
            if not found.seen:
                return report
            report.merge(self.joiner.relabel(found.deliveries, at))
        raise Unavailable(_BUSY)

    def _matched_anew(self, shared: SharedEvents, revision: ConfigurationRevision) -> Matches:
        """Enter predictions that still exist, keep events, and match both with all that is there."""
        predictions = self.joiner.store.predictions(shared.predictions)
        waiting = self.matcher.enter(predictions.values(), revision)
        found = self.matcher.match_events(shared.events, revision, are_news=False)
        for key in waiting:
            for matches, _ in self.matcher.match_prediction(predictions[key], revision):
                found.add(matches)
        return found

    def time_out(self, model: str, now: datetime, has_time: Callable[[], bool] = lambda: True) -> JoinReport:
        """Set aside the events by a shared key for which no prediction came, while there is time."""
        report, revision = JoinReport(), self.configurations.current(model)
        if not revision.configuration.labels.keys:
            return report
        for page, unmatched in self.matcher.unmatched(model, revision, now):
            self._set_aside(model, RejectCode.UNMATCHED, _UNMATCHED, unmatched, report)
            report.count(model, JoinCount.UNMATCHED, len(unmatched))
            self.matcher.settle(page)
            if not has_time():
                break
        return report

    def _deliver(self, model: str, matches: Matches, revision: ConfigurationRevision) -> JoinReport:
        """Join what was matched, and what came in meanwhile, until nothing did."""
        report = JoinReport()
        for _ in range(_ROUNDS):
            self._set_aside(model, RejectCode.CONFLICT, _REFUSED, matches.refused, report)
            self._set_aside(model, RejectCode.TOO_MANY_PREDICTIONS, _CROWDED, matches.crowded, report)
            report.count(model, JoinCount.CONFLICTING, len(matches.refused))
            report.count(model, JoinCount.DUPLICATE, matches.duplicates)
            report.count(model, JoinCount.PENDING, matches.waiting)
            report.count(model, JoinCount.IGNORED, sum(event.name != EXPOSED for event in matches.ignored))
            self.joiner.note(_undelivered(matches))
            report.merge(self.joiner.deliver(matches.deliveries))
            if not matches.seen:
                return report
            matches = self.matcher.changed(matches, revision)
        raise Unavailable(_BUSY)

    def _set_aside(
        self, model: str, code: RejectCode, reason: str, events: Sequence[Feedback], report: JoinReport
    ) -> None:
        self.quarantine.put_events(code, reason, events)
        report.count_quarantined(model, code, len(events))


def _undelivered(matches: Matches) -> EffectCounts:
    """Count the effects of events that no prediction gets; one that waits for its first has none yet."""
    counts = EffectCounts()
    for event in matches.ignored:
        # As by prediction: where no default asks for it, an exposure is no mistake.
        counts.add(event, FeedbackEffect.COUNTED if event.name == EXPOSED else FeedbackEffect.UNMATCHED_RULE)
    for event in matches.refused:
        counts.add(event, FeedbackEffect.CONFLICT)
    return counts
