"""A version's inputs and outputs, kept with its artefact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Metric, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The features of a version by name, in the order of its columns, and what it answers.

    ``classes`` are the canonical texts in the order of the probabilities: ``("0", "1")`` for binary, none for
    regression. ``threshold`` is the probability from which a binary answer is positive.
    """

    model: str
    version: str
    task: Task
    metric: Metric
    features: Mapping[str, FeatureType]
    classes: tuple[str, ...] = ()
    threshold: float = 0.5

    def named(self, kind: FeatureType | str) -> list[str]:
        """List the features of a type, in the order of the columns. Raises ValueError for what is no type.

        >>> schema = Schema(model="m", version="v", task=Task.REGRESSION, metric=Metric.MAE,
        ...                 features={"age": FeatureType.NUMERIC, "plan": FeatureType.CATEGORICAL})
        >>> schema.named("categorical")
        ['plan']
        """
        wanted = FeatureType(kind)
        return [name for name, found in self.features.items() if found == wanted]

    def to_json(self) -> dict[str, Any]:
        """Convert the schema to JSON objects; the features as pairs, for their order."""
        return {
            "model": self.model,
            "version": self.version,
            "task": self.task.value,
            "metric": self.metric.value,
            "features": [[name, kind.value] for name, kind in self.features.items()],
            "classes": list(self.classes),
            "threshold": self.threshold,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Schema":
        """Parse the schema that ``to_json`` wrote."""
        return cls(
            model=document["model"],
            version=document["version"],
            task=Task(document["task"]),
            metric=Metric(document["metric"]),
            features={name: FeatureType(kind) for name, kind in document["features"]},
            classes=tuple(document["classes"]),
            threshold=document.get("threshold", 0.5),
        )
