"""Labels by entity and by reference: whatever comes in whichever order, every history is the oracle's."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.entities.feedback import Feedback, MatchKey
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.labels.history import label_at
from hindsight.labels.matching.recipients import Candidate
from hindsight.labels.matching.store import Arrival, KeptEvent, Span
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.match_store import InMemoryMatches
from tests.unit.labels.builders import at, event, prediction
from tests.unit.labels.key_traffic import MANY_RULES, expected_among, many_events, many_predictions
from tests.unit.labels.key_world import KeyRules, KeyWorld

FEW = settings(max_examples=200, deadline=None)
END = 40
ENTITIES, REFERENCES = ("e-1", "e-2"), ("r-1", "r-2")


@st.composite
def rules(draw: st.DrawFn) -> KeyRules:
    found = []
    for name in draw(st.lists(st.sampled_from(("a", "b")), min_size=1, max_size=3)):
        by = draw(st.sampled_from(("prediction", "entity", "entity", "reference")))
        hours = draw(st.sampled_from((None, 3, 8)))
        found.append(
            {
                "event": name,
                "kind": "outcome",
                "by": by,
                "match": None if by == "prediction" else draw(st.sampled_from((None, "last", "first", "all"))),
                "window": None if hours is None else timedelta(hours=hours),
                "aggregate": draw(st.sampled_from(("last", "first", "any", "majority"))),
            }
        )
    default = None
    if draw(st.booleans()):
        default = {"value": 0, "after": timedelta(hours=9), "exposure": draw(st.booleans())}
    return KeyRules(found, default)


@st.composite
def logged(draw: st.DrawFn) -> list[Prediction]:
    return [
        prediction(
            f"p-{number}",
            occurred_at=at(made := draw(st.integers(0, 10))),
            received_at=at(made + draw(st.sampled_from((0, 0, 0, 1, 5)))),
            outcome_due_at=at(made + 9),
            entity_id=draw(st.sampled_from((*ENTITIES, None))),
            reference=draw(st.sampled_from((*REFERENCES, None))),
        )
        for number in range(draw(st.integers(1, 5)))
    ]


@st.composite
def sent(draw: st.DrawFn) -> list[Feedback]:
    found = []
    for number in range(draw(st.integers(1, 8))):
        name = draw(st.sampled_from(("a", "a", "b", "exposed", "retracted")))
        hours = draw(st.integers(0, 14))
        names = draw(
            st.sampled_from(
                (
                    *({"prediction_id": None, "entity_id": one} for one in ENTITIES),
                    *({"prediction_id": None, "reference": one} for one in REFERENCES),
                    {"prediction_id": "p-0"},
                )
            )
        )
        value: Any = f"f-{draw(st.integers(0, 7))}" if name == "retracted" else draw(st.sampled_from((0, 1)))
        received = hours + draw(st.sampled_from((0, 0, 1, 6)))
        one = event(name, value, hours=hours, received=received, feedback_id=f"f-{number}").replace(**names)
        found.append(one)
        if draw(st.booleans()):
            found.append(one.replace(received_at=one.received_at + timedelta(hours=draw(st.integers(0, 2)))))
    return found


@FEW
@given(rules(), logged(), sent(), st.integers(0, 2**32).map(random.Random))
def test_every_history_is_the_oracle_s_in_any_order_of_arrival(
    rules: KeyRules, predictions: list[Prediction], events: list[Feedback], dice: random.Random
) -> None:
    world = KeyWorld(rules.configuration())
    steps: list[Any] = [*predictions, *events, *events, *predictions]
    dice.shuffle(steps)
    # A prediction that was entered is joined with what waits for it now or later.
    late: list[Prediction] = []
    for step in steps:
        if isinstance(step, Feedback):
            world.joiner.join([step])
        elif step.key in world.store.collections and world.store.collections[step.key].head.prediction:  # type: ignore[union-attr]
            late += world.enter(step)
        else:
            world.store.save(step, timedelta(days=400))
            world.labels.rejoin([step.key])
            late += world.enter(step)
        if dice.random() < 0.5:
            world.join_waiting(late)
            late = []
    world.join_waiting(late)
    world.labels.close_windows([one.key for one in predictions], at(END))

    _assert_histories(world, rules, predictions, events)


def _assert_histories(
    world: KeyWorld, rules: KeyRules, predictions: list[Prediction], events: list[Feedback], hours: Any = None
) -> None:
    for one in predictions:
        (found,) = world.store.load([one.key])
        for hour in hours or range(END + 1):
            moment = at(hour)
            if moment < one.received_at:
                continue
            expected = rules.expected(one, predictions, events, moment)
            assert label_at(found.labels, moment) == expected, (one.prediction_id, hour)


class Overtaken(InMemoryMatches):
    """A store at whose reads others act first, as workers beside this one do."""

    def __init__(self, labels: InMemoryLabels) -> None:
        super().__init__(labels)
        self.others: Callable[[], None] = lambda: None

    def candidates(self, key: MatchKey, span: Span, *, newest_first: bool) -> Iterator[Candidate]:
        self.others()
        found = list(super().candidates(key, span, newest_first=newest_first))
        self.others()
        yield from found

    def keep(self, events: Sequence[Feedback], retention: timedelta) -> list[Arrival]:
        self.others()
        return super().keep(events, retention)

    def event(self, key: MatchKey, feedback_id: str) -> KeptEvent | None:
        self.others()
        return super().event(key, feedback_id)

    def copies(self, keys: Sequence[PredictionKey], feedback_id: str) -> dict[PredictionKey, Feedback]:
        found = super().copies(keys, feedback_id)
        self.others()
        return found


@FEW
@given(rules(), logged(), sent(), st.integers(0, 2**32).map(random.Random))
def test_workers_that_match_at_the_same_time_lose_nothing(
    rules: KeyRules, predictions: list[Prediction], events: list[Feedback], dice: random.Random
) -> None:
    world = KeyWorld(rules.configuration(), Overtaken)
    assert isinstance(world.matches, Overtaken)
    steps: list[Any] = [*predictions, *([event] for event in events)]
    dice.shuffle(steps)
    deep = 0

    def act() -> None:
        nonlocal deep
        if not steps or deep > 3 or dice.random() < 0.5:
            return
        deep += 1
        step = steps.pop()
        if isinstance(step, list):
            world.joiner.join(step)
        else:
            world.log(step)
        deep -= 1

    world.matches.others = act
    while steps:
        act()
    world.labels.close_windows([one.key for one in predictions], at(END))

    _assert_histories(world, rules, predictions, events)


def test_two_thousand_predictions_of_two_hundred_entities_have_the_oracle_s_labels() -> None:
    dice = random.Random(17)
    predictions, events = many_predictions(dice), many_events(dice)
    world = KeyWorld(MANY_RULES.configuration())
    steps: list[Any] = [*predictions, *(events[start : start + 10] for start in range(0, len(events), 10))]
    dice.shuffle(steps)

    for step in steps:
        if isinstance(step, list):
            world.joiner.join(step)
        else:
            world.log(step)
    world.labels.close_windows([one.key for one in predictions], at(400))

    for one in predictions:
        (found,) = world.store.load([one.key])
        for moment in (max(one.received_at, at(dice.uniform(0, 400))), at(400)):
            assert label_at(found.labels, moment) == expected_among(one, predictions, events, moment)
