"""Counts of the effects of feedback as items of the predictions table."""

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.adapters.dynamodb.requests import to_item, unavailable_if_busy
from hindsight.core.times import format_time, parse_time
from hindsight.labels.joining.effects import EffectCounts, Effects, FeedbackEffect

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_FOR = timedelta(days=3)


class DynamoEffects:
    """One item a model and hour; see ``hindsight.labels.joining.effects.EffectStore``.

    A busy hour is one item, which takes a thousand writes a second: joins write one a chunk of a file.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)
        self._client = client

    def add(self, counts: EffectCounts) -> None:
        """Add counts to those of their hours. Raises Unavailable."""
        for (model, hour), effects in counts.by_hour.items():
            changed = {effect: number for effect, number in effects.items() if number}
            if not changed:
                continue
            names = [f"#{place}" for place in range(len(changed))]
            with unavailable_if_busy():
                self._client.update_item(
                    TableName=self._items.table,
                    Key=to_item({"pk": _partition(model), "sk": format_time(hour)}),
                    UpdateExpression=f"ADD {', '.join(f'{name} :{name[1:]}' for name in names)} SET #until = :until",
                    ExpressionAttributeNames={**dict(zip(names, changed, strict=True)), "#until": "expires_at"},
                    ExpressionAttributeValues=to_item(
                        {
                            **{f":{place}": number for place, number in enumerate(changed.values())},
                            ":until": int((hour + KEPT_FOR).timestamp()),
                        }
                    ),
                )

    def between(self, model: str, first: datetime, last: datetime) -> dict[datetime, Effects]:
        """Read a model's counts of the hours from one to another, both included."""
        rows = self._items.between(_partition(model), format_time(first), format_time(last))
        return {parse_time(row["sk"]): _effects(row) for row in rows}


def _partition(model: str) -> str:
    # A prediction's partition has its id behind the #, of a character at least; an erasure of the model finds this one.
    return f"{model}#"


def _effects(row: dict[str, int]) -> Effects:
    return Counter({effect: row[effect] for effect in FeedbackEffect if effect in row})
