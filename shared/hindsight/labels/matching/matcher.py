"""Matching of events and predictions that share an entity or a reference, whichever of them comes first.

Both sides write themselves down before they look for the other one, so that of an event and a prediction that come at
the same moment at least one finds the other. What is found is delivered to the predictions as their own feedback, with
the moment until when it is theirs, and the join does the rest.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from hindsight.config.labels import RETRACTED, Match, MatchBy
from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import Feedback, MatchKey
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.labels.matching.matches import Matches, Seen, each_id_once, is_current, span_of, terms_of
from hindsight.labels.matching.recipients import (
    MAX_MATCHED,
    MOST_CANDIDATES,
    NEVER,
    Candidate,
    Ends,
    capacity,
    recipients,
)
from hindsight.labels.matching.store import Arrival, KeptEvent, KeyedPrediction, MatchStore, Place, Span
from hindsight.labels.plan import MATCH_TIMEOUT
from hindsight.labels.resolve import shifted
from hindsight.labels.rules import Rules, Way, rules_of

# Before Python 3.12 the class looks its members up slowly.
_LAST = Match.LAST

SideBySide = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]


class Progress(NamedTuple):
    """The key by which a prediction's events are looked for, and the last of them that was found."""

    by: MatchBy
    reached: Place


@dataclass(frozen=True, slots=True)
class KeyMatcher:
    """The matcher of events and predictions by the keys they share.

    ``side_by_side`` maps as ``map`` does, in order: each event asks the store for itself, and must not wait for others.
    """

    store: MatchStore
    side_by_side: SideBySide = map

    def match_events(
        self, events: Sequence[Feedback], revision: ConfigurationRevision, *, are_news: bool = True
    ) -> Matches:
        """Keep events of a model and find the predictions they belong to. Raises Unavailable; again is safe.

        One that is sent again waits again where no prediction has come for it, unless raw events are but read again.

        Once the deliveries are joined, ``changed`` looks for predictions that came in meanwhile.
        """
        found, rules = Matches(), rules_of(revision)
        read = list[Feedback]()
        for event in events:
            (read if _is_read(event, rules) else found.ignored).append(event)
        for once in each_id_once(read):
            kept = zip(once, self.store.keep(once, revision.configuration.retention), strict=True)
            arrived = [(one, are_news and event.received_at > one.kept.event.received_at) for event, one in kept]
            for matches in self.side_by_side(lambda one: self._arrived(one, rules), arrived):
                found.add(matches)
        return found

    def changed(self, matches: Matches, revision: ConfigurationRevision) -> Matches:
        """Match those events once more whose predictions have changed since they were looked for.

        A prediction that comes between the look and the delivery does not see what is on its way to another one.
        """
        found, rules = Matches(), rules_of(revision)

        def again(looked_for: Seen) -> Matches:
            event, is_new = looked_for.event, looked_for.is_new
            kept = self.store.event(event.match_key, event.feedback_id)
            if kept is None or (
                kept.event == event and self._recipients(event, rules, until_taken=is_new) == looked_for.ends
            ):
                return Matches()
            # Another body of the id, received earlier, may have taken its place meanwhile.
            return self._reconciled(kept, rules)

        for one in self.side_by_side(again, matches.seen):
            found.add(one)
        return found

    def enter(self, predictions: Iterable[Prediction], revision: ConfigurationRevision) -> list[PredictionKey]:
        """Enter predictions under their keys, and list those whose keys have events that may be theirs.

        Raises Unavailable; again is safe.
        """
        rules, entries = rules_of(revision), list[tuple[PredictionKey, KeyedPrediction]]()
        for prediction in predictions:
            expires_at = _expires_at(prediction.received_at, revision)
            candidate = Candidate(prediction.occurred_at, prediction.prediction_id, prediction.received_at)
            keys = keys_of(prediction, rules)
            entries += [(prediction.key, KeyedPrediction(key, candidate, expires_at)) for key in keys]
        self.store.enter([entry for _, entry in entries])

        def has_events(entered: tuple[PredictionKey, KeyedPrediction]) -> bool:
            key, candidate = entered[1].key, entered[1].candidate
            return self.store.has_events(key, _reach(candidate.occurred_at, key.by, rules))

        waits = self.side_by_side(has_events, entries)
        return list(dict.fromkeys(key for (key, _), is_waited_for in zip(entries, waits, strict=True) if is_waited_for))

    def match_prediction(
        self, prediction: Prediction, revision: ConfigurationRevision, after: Progress | None = None
    ) -> Iterator[tuple[Matches, Progress]]:
        """Find the events of a prediction that was entered, key by key and page by page, from where it was left.

        Raises Unavailable.
        """
        rules = rules_of(revision)
        keys = keys_of(prediction, rules)
        first = next((place for place, key in enumerate(keys) if after and key.by is after.by), 0)
        for key in keys[first:]:
            reach = _reach(prediction.occurred_at, key.by, rules)
            for page in self.store.events(key, reach, after.reached if after and after.by is key.by else None):
                found, read = Matches(), [kept for kept in page if _is_read(kept.event, rules)]
                for matches in self.side_by_side(lambda kept: self._reconciled(kept, rules, of=prediction), read):
                    found.add(matches)
                last = page[-1].event
                yield found, Progress(key.by, Place(last.occurred_at, last.feedback_id))

    def unmatched(
        self, model: str, revision: ConfigurationRevision, now: datetime
    ) -> Iterator[tuple[list[Feedback], list[Feedback]]]:
        """List, page by page, the events whose wait is over, and of these those that no prediction came for.

        They are listed again until they are ``settle``d.
        """
        rules = rules_of(revision)
        for page in self.store.waited(model, now):
            yield page, [event for event in page if not self._recipients(event, rules, until_taken=True)]

    def settle(self, page: Sequence[Feedback]) -> None:
        """End the wait of events. Raises Unavailable."""
        for event in page:
            self.store.wait(event, None)

    def _arrived(self, arrived: tuple[Arrival, bool], rules: Rules) -> Matches:
        arrival, is_sent_again = arrived
        kept, before = arrival.kept, arrival.before
        if kept.event.name == RETRACTED:
            found = self._retracted(kept.event, rules)
            if arrival.refused is not None:
                # What the other body withdrew has this one now, which withdraws something else.
                other = self._retracted(arrival.refused, rules)
                found.add(Matches(deliveries={key: [kept.event] for key in other.deliveries}))
        else:
            # Redelivered: the worker that was at it before may have stopped anywhere.
            found = self._reconciled(kept, rules, is_new=before is None, waits_again=is_sent_again)
        if arrival.refused is not None:
            found.refused = [arrival.refused]
        elif before is not None:
            found.duplicates = 1
        return found

    def _reconciled(
        self,
        kept: KeptEvent,
        rules: Rules,
        *,
        of: Prediction | None = None,
        is_new: bool = False,
        waits_again: bool = False,
    ) -> Matches:
        """Deliver an event to the predictions it belongs to, and to those that have it on other terms.

        With ``of`` to that prediction and to those that have it: the others had their turn.
        """
        event = kept.event
        ends = self._recipients(event, rules, until_taken=is_new)
        found, terms = Matches(seen=[Seen(event, ends, is_new)]), terms_of(ends)
        copies: dict[str, Feedback] = {}
        if not is_new:
            if of is not None and len(terms) >= MOST_CANDIDATES:
                terms = self._behind(event, ends, of, rules) | terms
            copies = self._copies(kept, terms, rules)
        for name, given_until in terms.items():
            has_turn = name not in copies and (of is None or name == of.prediction_id)
            if has_turn and max(given_until.values()) > event.received_at:
                found.deliver(PredictionKey(event.model, name), kept, given_until)
        for name, copy in copies.items():
            given_until = terms.get(name, {})
            if not is_current(copy, event, given_until):
                found.deliver(PredictionKey(event.model, name), kept, given_until)
            elif kept.retractions:
                found.deliveries.setdefault(PredictionKey(event.model, name), []).extend(kept.retractions)
        if not terms:
            found.waiting = 1
            self.store.wait(event, shifted(event.received_at, MATCH_TIMEOUT), again=waits_again)
        if len(terms) > MAX_MATCHED and _is_crowded(event, ends, of, rules):
            found.crowded = [event]
        return found

    def _behind(
        self, event: Feedback, ends: dict[str, Ends], of: Prediction, rules: Rules
    ) -> dict[str, dict[str, datetime]]:
        """Find the predictions that lost an event when others came, where these are more than are looked at.

        However many came at once, each looks at those right behind it: so those that had the event are among them.
        They lost it no later than the last one that was looked at, as more go before them.
        """
        found = dict[str, dict[str, datetime]]()
        place = (of.occurred_at, of.prediction_id)
        for way in _ways(event, rules):
            theirs = ends.get(way.name, {})
            if len(theirs) < MOST_CANDIDATES:
                continue
            lost_at = next(reversed(theirs.values()))
            reach, newest_first = span_of(event, way), way.match is Match.LAST
            part = Span(reach.since, of.occurred_at) if newest_first else Span(of.occurred_at, reach.until)
            candidates = self.store.candidates(event.match_key, part, newest_first=newest_first)
            for one in islice(candidates, MOST_CANDIDATES):
                other = (one.occurred_at, one.prediction_id)
                if ((other < place) if newest_first else (other > place)) and one.prediction_id not in theirs:
                    found.setdefault(one.prediction_id, {})[way.name] = lost_at
        return found

    def _copies(self, kept: KeptEvent, terms: Iterable[str], rules: Rules) -> dict[str, Feedback]:
        """Find the copies of an event that predictions have: those it belongs to, and those of what it displaced."""
        event, names = kept.event, dict.fromkeys(terms)
        for moment in kept.displaced:
            names |= dict.fromkeys(terms_of(self._recipients(event.replace(occurred_at=moment), rules)))
        copies = self.store.copies([PredictionKey(event.model, name) for name in names], event.feedback_id)
        return {key.prediction_id: copy for key, copy in copies.items()}

    def _retracted(self, retraction: Feedback, rules: Rules) -> Matches:
        """Deliver a retraction to all that have the event it withdraws, or are about to."""
        target = self.store.event(retraction.match_key, str(retraction.value))
        if target is None or target.event.name == RETRACTED:
            return Matches()
        theirs = terms_of(self._recipients(target.event, rules))
        return Matches(deliveries={PredictionKey(target.event.model, name): [retraction] for name in theirs})

    def _recipients(self, event: Feedback, rules: Rules, *, until_taken: bool = False) -> dict[str, Ends]:
        """Find the predictions an event belongs to, and for how long, by all ways of its name that find any.

        With ``until_taken`` up to the first that lost it before it was received: those behind can only have it already.
        """
        found: dict[str, Ends] = {}
        lost_by = event.received_at if until_taken else NEVER
        for way in _ways(event, rules):
            newest_first = way.match is _LAST
            candidates = self.store.candidates(event.match_key, span_of(event, way), newest_first=newest_first)
            if ends := recipients(islice(candidates, MOST_CANDIDATES), capacity(way.match), lost_by=lost_by):
                found[way.name] = ends
        return found


def keys_of(prediction: Prediction, rules: Rules) -> list[MatchKey]:
    """List the keys by which feedback can find a prediction under some rules."""
    values = {MatchBy.ENTITY: prediction.entity_id, MatchBy.REFERENCE: prediction.reference}
    return [MatchKey(prediction.model, by, value) for by, value in values.items() if value and by in rules.keys]


def _expires_at(received_at: datetime, revision: ConfigurationRevision) -> int:
    return int(shifted(received_at, revision.configuration.retention).timestamp())


def _ways(event: Feedback, rules: Rules) -> tuple[Way, ...]:
    return rules.ways.get((event.by, event.name), ())


def _is_read(event: Feedback, rules: Rules) -> bool:
    return event.by in rules.keys if event.name == RETRACTED else bool(_ways(event, rules))


def _reach(occurred_at: datetime, by: MatchBy, rules: Rules) -> Span:
    """Compute when events can occur that label a prediction by a key."""
    ways = [way for (key, _), found in rules.ways.items() if key is by for way in found]
    windows = [way.window for way in ways]
    last = None if None in windows else max(shifted(occurred_at, window) for window in windows if window is not None)
    return Span(shifted(occurred_at, -rules.clock_skew), last)


def _is_crowded(event: Feedback, ends: Mapping[str, Ends], of: Prediction | None, rules: Rules) -> bool:
    """Check whether more predictions share an event than it may label; if one is named, whether it is in excess."""
    for way in _ways(event, rules):
        beyond = islice(ends.get(way.name, ()), MAX_MATCHED, None) if way.match is Match.ALL else ()
        if any(of is None or name == of.prediction_id for name in beyond):
            return True
    return False
