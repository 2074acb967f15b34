"""Every error Hindsight raises on purpose: one base, one class a cause.

The domain raises them; only the edges (``runtime.http`` and the queue consumers) turn them into an HTTP answer or a
quarantined record.
"""

from dataclasses import dataclass
from typing import Any, Self

MAX_REASON = 500
MAX_MESSAGE = 2_000
MAX_FAULTS = 100
NOTHING_HERE = "nothing answers this method at this address; GET /v1/openapi.json lists the calls"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: where (``events[3].value``) and what; ``line`` is that of a document, if known."""

    path: str
    message: str
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Show the fault."""
        shown = {"path": shortened(self.path), "message": shortened(self.message, MAX_MESSAGE)}
        return shown if self.line is None else shown | {"line": self.line}


def shortened(text: object, most: int = MAX_REASON) -> str:
    """Cut a text to a bounded length: a path may name a field as long as the client pleased."""
    shown = text if isinstance(text, str) else ""
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


class HindsightError(Exception):
    """Base of all errors raised on purpose; ``code`` is part of the HTTP contract."""

    code = "error"

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.faults = faults

    @classmethod
    def at(cls, path: str, message: str) -> Self:
        """Build the error of one path at fault."""
        return cls(f"{path} {message}", (Fault(path, message),))


class InvalidInput(HindsightError):
    """The request is malformed or breaks a rule of the contract."""

    code = "invalid"

    @classmethod
    def in_query(cls, name: str, message: str) -> Self:
        """Build the error of a query parameter."""
        return cls(f"the query parameter {name} {message}", (Fault(name, message),))


class Forbidden(HindsightError):
    """The caller's key is not one of those that may call the route."""

    code = "forbidden"


class NotFound(HindsightError):
    """The model, prediction or version does not exist."""

    code = "not_found"


class ModelRetired(NotFound):
    """The model is retired: what is kept stays readable, for everything else it is as one that does not exist."""

    code = "retired"


class Conflict(HindsightError):
    """The request contradicts what is stored, or another writer was faster."""

    code = "conflict"


class NotResumable(Conflict):
    """The job is not one whose work ended before it was done."""

    code = "not_resumable"


class StaleRun(Conflict):
    """A retraining run that has lost the model's lock tries to change what serves."""


class NoModel(HindsightError):
    """No version of the model has been deployed yet."""

    code = "no_model"

    @classmethod
    def of(cls, model: str) -> Self:
        """Build the error of a model, which names the call that explains it."""
        return cls(
            f"no version of {model!r} has been deployed yet; GET /v1/models/{model} says what the first waits for"
        )


class ServedElsewhere(HindsightError):
    """Another server answers for the model."""

    code = "served_elsewhere"


class TooLarge(HindsightError):
    """The body or the batch exceeds its limit."""

    code = "too_large"


class UnsupportedType(HindsightError):
    """The content type of the body is not one the route reads."""

    code = "unsupported_type"


class Unavailable(HindsightError):
    """A write could not be made durable in time; sending the same request again is safe."""

    code = "unavailable"


class UnusableDataset(HindsightError):
    """The snapshot cannot be trained on; the message has the reason."""

    code = "unusable_dataset"


class UnusablePipeline(HindsightError):
    """The deployment's own pipeline does not exist, or cannot be built, trained or saved; the message has the place."""

    code = "unusable_pipeline"


class UnusableArtifact(HindsightError):
    """A model artefact is missing, altered, or holds types that are not trusted."""

    code = "unusable_artifact"


class UnreadableObject(HindsightError):
    """An object is damaged, or larger than what is read; reading it again would end the same way."""

    code = "unreadable_object"


class UnreadableRecord(HindsightError):
    """A stored record is damaged, or was written in another shape."""

    code = "unreadable_record"
