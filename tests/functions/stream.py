"""Events of the predictions table's stream."""

import base64
from typing import Any

from hindsight.adapters.dynamodb.requests import to_item
from hindsight.adapters.predictions_table.prediction_items import prediction_to_item
from hindsight.entities.prediction import Prediction


def inserted(*predictions: Prediction) -> dict[str, Any]:
    """Build the event of new predictions, bytes in base64 as Lambda carries them."""
    records = [
        {
            "eventName": "INSERT",
            "dynamodb": {
                "ApproximateCreationDateTime": one.received_at.timestamp(),
                "SequenceNumber": f"{number:021d}",
                "NewImage": {
                    name: carried(value)
                    for name, value in to_item(prediction_to_item(one, 0, one.outcome_due_at)).items()
                },
            },
        }
        for number, one in enumerate(predictions)
    ]
    return {"Records": records}


def carried(value: Any) -> Any:
    """Carry a value of an item as Lambda does."""
    return {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value
