"""The task of the join by entity gives every event to the last prediction of its entity."""

from datetime import timedelta

from bench.key_join import make_key_task
from bench.label_join import WINDOW, parsed


def test_every_event_is_matched_with_the_last_prediction_of_its_entity_before_it() -> None:
    made = make_key_task(predictions=40, events=200, seed=3)
    found = {event.feedback_id: key.prediction_id for key, events in made.matched().items() for event in events}
    for event in parsed(made.task.lines):
        _, candidates = made.by_key[event.match_key]
        latest = event.occurred_at + timedelta(minutes=2)
        made_before = [one for one in candidates if event.occurred_at - WINDOW <= one.occurred_at <= latest]
        assert found.get(event.feedback_id) == (made_before[-1].prediction_id if made_before else None)
    assert 80 < len(found) <= 160
