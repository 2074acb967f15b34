"""Joining of all feedback: by prediction as it names them, by entity or reference once it is matched."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hindsight.config.store import ConfigurationRevision, ConfigurationStore
from hindsight.core.errors import Unavailable
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import Prediction
from hindsight.labels.joining.join import JoinCount, JoinReport, LabelJoiner
from hindsight.labels.matching.matcher import KeyMatcher, Matches
from hindsight.labels.matching.recipients import MAX_MATCHED
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.store import Quarantine

_ROUNDS = 20
_REFUSED = "the feedback_id was used before with another body; the first received stays"
_CROWDED = f"more than {MAX_MATCHED} predictions share what it names; it labels the first of them"
_UNMATCHED = "no prediction of what it names came before the match timeout"


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

    def join_predictions(
        self, model: str, predictions: Iterable[Prediction], has_time: Callable[[], bool] = lambda: True
    ) -> tuple[JoinReport, bool]:
        """Join the events that share a key with predictions of a model that were entered; say whether all were.

        Raises Unavailable; doing it again is safe.
        """
        report, revision = JoinReport(), self.configurations.current(model)
        for matches in self.matcher.match_predictions(predictions, revision):
            report.merge(self._deliver(model, matches, revision))
            if not has_time():
                return report, False
        return report, True

    def time_out(self, model: str, now: datetime, has_time: Callable[[], bool]) -> JoinReport:
        """Set aside the events by a shared key for which no prediction came, while there is time."""
        report = JoinReport()
        for page in self.matcher.unmatched(model, self.configurations.current(model), now):
            self._set_aside(model, RejectCode.UNMATCHED, _UNMATCHED, page, report)
            report.count(model, JoinCount.UNMATCHED, len(page))
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
            report.count(model, JoinCount.IGNORED, matches.ignored)
            report.merge(self.joiner.deliver(matches.deliveries))
            if not matches.seen:
                return report
            matches = self.matcher.changed(matches, revision)
        raise Unavailable("predictions of the same entity keep coming in; try again")

    def _set_aside(
        self, model: str, code: RejectCode, reason: str, events: Sequence[Feedback], report: JoinReport
    ) -> None:
        self.quarantine.put_events(code, reason, events)
        report.count_quarantined(model, code, len(events))
