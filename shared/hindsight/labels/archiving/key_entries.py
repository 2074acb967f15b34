"""Entries of new predictions under the keys by which feedback finds them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hindsight.config.store import ConfigurationStore, remembered
from hindsight.entities.prediction import Prediction
from hindsight.labels.joining.match_requests import MatchRequest, match_requests
from hindsight.labels.matching.matcher import KeyMatcher


@dataclass(frozen=True, slots=True)
class KeyEntries:
    """The entry of predictions under their keys, and the request to join what was there before them.

    ``ask`` makes a request durable. A prediction whose model reads no feedback by a key costs nothing here.
    """

    matcher: KeyMatcher
    configurations: ConfigurationStore
    ask: Callable[[MatchRequest], None]

    def enter(self, predictions: Sequence[Prediction]) -> int:
        """Enter predictions; return how many of them have events that may be theirs. Raises Unavailable."""
        known, by_model = remembered(self.configurations), dict[str, list[Prediction]]()
        for prediction in predictions:
            if prediction.entity_id is not None or prediction.reference is not None:
                by_model.setdefault(prediction.model, []).append(prediction)
        waiting = 0
        for model, found in by_model.items():
            configuration = known(model)
            if configuration is None or not configuration.labels.keys:
                continue
            keys = self.matcher.enter(found, self.configurations.current(model))
            waiting += len(keys)
            for request in match_requests(keys):
                self.ask(request)
        return waiting
