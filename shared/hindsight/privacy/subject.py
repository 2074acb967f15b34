"""The subject of an erasure, and the ownership of rows, texts and features."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput
from hindsight.core.times import parse_time

# In text that cannot be parsed ids are in quotes, each of at most 128 characters, each of at most twelve. From every
# quote to the next: where a text was cut, it is not known which of them opens.
_QUOTED = re.compile(r'(?="((?:[^"\\]|\\.){1,1536})")')
# An item may be rejected just because its id is a number.
_NUMBERED = re.compile(r'"(?:entity_id|prediction_id|reference)"\s*:\s*(-?[0-9]{1,128})\b')
_LEARNED = ("prediction_ids", "feature_digests", "references", "own_references")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One entity of a model, and its predictions as far as they are known.

    ``at`` is when the erasure was asked for: what was received later is not part of it. ``feature_digests`` are those
    of the features its predictions were made from: some things keep features and no id. ``references`` are those that
    its predictions carry; ``own_references`` those of them that no other entity's prediction does: feedback that names
    one is the subject's.
    """

    model: str
    entity_id: str
    at: datetime
    prediction_ids: set[str] = field(default_factory=set)
    feature_digests: set[str] = field(default_factory=set)
    references: set[str] = field(default_factory=set)
    own_references: set[str] = field(default_factory=set)

    @property
    def size(self) -> int:
        """The number of ids and digests that are known."""
        return sum(len(getattr(self, name)) for name in _LEARNED)

    def learn(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Learn of the entity's predictions from rows that name it."""
        for row in rows:
            self.prediction_ids.add(row["prediction_id"])
            if "features" in row:
                self.feature_digests.add(features_digest(row["features"]))
            if row.get("reference") is not None:
                self.references.add(row["reference"])

    def is_named_by(self, row: Mapping[str, Any]) -> bool:
        """Decide whether a row of the log, or a label record, names the entity and is not newer than the request."""
        if row.get("entity_id") != self.entity_id or not isinstance(row.get("prediction_id"), str):
            return False
        return self._is_in_time(row)

    def owns_record(self, row: Mapping[str, Any]) -> bool:
        """Decide whether a row of the log, or a label record, is of the subject."""
        return self._holds_prediction(row) or self.is_named_by(row)

    def owns_feedback(self, row: Mapping[str, Any]) -> bool:
        """Decide whether a row of the raw feedback is of the subject, be it an event or a rejected one."""
        if row.get("model") != self.model:
            return False
        text = row.get("text")
        if isinstance(text, str):
            return self._holds_prediction(row) or self.owns_text(text, is_of_model=True)
        return self._holds_prediction(row) or (self._is_keyed(row) and self._is_in_time(row))

    def owns_reject(self, row: Mapping[str, Any]) -> bool:
        """Decide whether a row of a quarantine, or of what replays took from one, is of the subject."""
        event, text = row.get("event"), row.get("text")
        if isinstance(event, Mapping) and self.owns_feedback(event):
            return True
        if isinstance(text, str):
            return self.owns_text(text, is_of_model=row.get("model") == self.model)
        return False

    def owns_item(self, item: Mapping[str, Any]) -> bool:
        """Decide whether a prediction or feedback, as apps send them, is of the subject."""
        return self._holds_prediction(item) or self._is_keyed(item)

    def owns_upload(self, row: Mapping[str, Any]) -> bool:
        """Decide whether a row that was uploaded with a score is of the subject, by its id or by its features."""
        features = row.get("features")
        return self._holds_prediction(row) or (isinstance(features, Mapping) and self.owns_features(features))

    def owns_text(self, text: str, *, is_of_model: bool = False) -> bool:
        """Decide whether a text is an item of the subject; an unreadable one is if it quotes one of its ids.

        One that is known to be of the model may name any other: a field that no item has.
        """
        try:
            item = compact_json.loads(text)
        except InvalidInput:
            quoted = set(quoted_texts(text))
            return any(not theirs.isdisjoint(quoted) for theirs in self._ids)
        if not isinstance(item, dict):
            return False
        return (is_of_model or item.get("model", self.model) == self.model) and self.owns_item(item)

    def owns_features(self, features: Mapping[str, Any]) -> bool:
        """Decide whether features are those of one of the subject's predictions (or equal to them)."""
        return features_digest(features) in self.feature_digests

    @property
    def _ids(self) -> tuple[AbstractSet[str], ...]:
        return self.prediction_ids, self.own_references, {self.entity_id}

    def _holds_prediction(self, row: Mapping[str, Any]) -> bool:
        return _id_text(row.get("prediction_id")) in self.prediction_ids

    def _is_keyed(self, row: Mapping[str, Any]) -> bool:
        """Check whether a row names the entity, or a reference of its own and no other entity."""
        entity_id = _id_text(row.get("entity_id"))
        return entity_id == self.entity_id or (
            entity_id is None and _id_text(row.get("reference")) in self.own_references
        )

    def _is_in_time(self, row: Mapping[str, Any]) -> bool:
        """Check whether a row was received by the request; one whose moment cannot be read may have been."""
        try:
            return parse_time(row.get("received_at", row.get("occurred_at"))) <= self.at
        except InvalidInput:
            return True

    def to_json(self) -> dict[str, Any]:
        """Export what is known of the subject's predictions and their references."""
        return {name: sorted(getattr(self, name)) for name in _LEARNED}

    def recall(self, known: Mapping[str, Iterable[str]]) -> None:
        """Add what was exported of the subject."""
        for name in _LEARNED:
            getattr(self, name).update(known.get(name, ()))


def quoted_texts(text: str) -> Iterator[str]:
    r"""Read what may be a JSON string, or an id that is a number, in a text that is not JSON.

    >>> sorted(quoted_texts('{"prediction_id": "Zo\u00eb", "f'))
    [', ', ': ', 'Zoë', 'prediction_id']
    """
    yield from _NUMBERED.findall(text)
    for found in _QUOTED.findall(text):
        with suppress(ValueError):
            yield json.loads(f'"{found}"')


class WholeModel(Subject):
    """A model with all its entities: its rows are those that name it.

    A text that cannot be read is its own if it quotes its name, which stands for the entity's.
    """

    __slots__ = ()

    def owns_feedback(self, row: Mapping[str, Any]) -> bool:
        """Decide whether a row of the raw feedback names the model."""
        return row.get("model") == self.model

    def owns_item(self, item: Mapping[str, Any]) -> bool:
        """Decide whether an item names the model."""
        return item.get("model") == self.model


def _id_text(value: object) -> str | None:
    """Write what was sent as an id as the text it stands for, None for what can be no id."""
    return str(value) if isinstance(value, str | int) else None


def features_digest(features: Mapping[str, Any]) -> str:
    """Compute a digest of features that does not depend on their order."""
    return compact_json.digest(dict(sorted(features.items())))


def subject_digest(job_id: str, model: str, entity_id: str) -> str:
    """Compute the digest that stays of an entity's id: with the id one can check that an erasure was about it.

    >>> subject_digest("e1", "m", "user-7") == subject_digest("e2", "m", "user-7")
    False
    """
    return hashlib.sha256("\0".join((job_id, model, entity_id)).encode()).hexdigest()
