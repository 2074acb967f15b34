"""Items of capture calls, checked one by one: the good ones are kept, the others reported by their index."""

from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from hindsight.config.labels import MAX_VALUE_TEXT
from hindsight.config.parse import faults_of
from hindsight.config.types import IDENTIFIER, Number
from hindsight.core import compact_json
from hindsight.core.errors import Conflict, Fault, HindsightError, InvalidInput, TooLarge
from hindsight.core.times import NOT_A_TIME

MAX_ITEMS = 500

INVALID = InvalidInput.code
CONFLICT = Conflict.code


def _time_text(value: object) -> object:
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError(NOT_A_TIME)
    return value


Identifier = Annotated[str, Field(pattern=IDENTIFIER)]
Integer = Annotated[int, Field(ge=-compact_json.MAX_INTEGER, le=compact_json.MAX_INTEGER)]
Value = bool | Integer | Number | Annotated[str, Field(max_length=MAX_VALUE_TEXT)] | None
"""The value of feedback, and of a reviewer's answer, which becomes feedback."""
TimeText = Annotated[str, BeforeValidator(_time_text), Field(max_length=40)]
ItemT = TypeVar("ItemT", bound="RequestItem")


class RequestItem(BaseModel):
    """One item of a request: no unknown fields, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Rejection:
    """The reason why one item of a call was not taken; as a warning, why it will hardly do what it is for.

    Of an item that ``is_erased``, one whose id an erasure has marked, nothing is to be kept.
    """

    index: int
    code: str
    fault: Fault
    is_erased: bool = False

    def to_json(self) -> dict[str, Any]:
        """Show the rejection to the caller."""
        return {"index": self.index, "code": self.code, **self.fault.to_json()}


@dataclass(slots=True)
class Receipt:
    """The results of a call's items, by their ids and indices; ``warnings`` are of items that were taken."""

    accepted: list[str] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    warnings: list[Rejection] = field(default_factory=list)

    def reject(self, index: int, error: HindsightError) -> None:
        """Record an item as refused, with the error's code and its first path at fault."""
        self.rejected.append(Rejection(index, error.code, error.faults[0]))

    def in_order(self) -> list[Rejection]:
        """List the rejections in the order of the items."""
        return sorted(self.rejected, key=lambda rejection: rejection.index)

    def to_json(self) -> dict[str, Any]:
        """Show the receipt to the caller."""
        shown = {"accepted": self.accepted, "rejected": [rejection.to_json() for rejection in self.in_order()]}
        return shown | ({"warnings": [warning.to_json() for warning in self.warnings]} if self.warnings else {})

    def require_one_valid(self, items: int) -> None:
        """Raise InvalidInput when every item was invalid: a caller that reads only the status must see it."""
        if sum(rejection.code == INVALID for rejection in self.rejected) == items:
            faults = tuple(rejection.fault for rejection in self.rejected)
            raise InvalidInput(f"{faults[0].path} {faults[0].message}; nothing was taken", faults)


def items_of(body: dict[str, Any], name: str) -> list[Any]:
    """Read the list a request carries under ``name``.

    Raises InvalidInput if it is missing, empty or no list, TooLarge beyond ``MAX_ITEMS``.
    """
    items = body.get(name)
    if not isinstance(items, list) or not items:
        raise InvalidInput.at(name, "is required" if name not in body else "must be a list of at least one item")
    if len(items) > MAX_ITEMS:
        raise TooLarge.at(name, f"has {len(items)} items, more than the {MAX_ITEMS} allowed")
    return items


def parse_item(kind: type[ItemT], raw: object, path: str) -> ItemT:
    """Read one item of a request. Raises InvalidInput with the paths at fault."""
    if (fault := compact_json.unusable(raw, path)) is not None:
        raise InvalidInput.at(fault.path, fault.message)
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        faults = faults_of(error, kind, path)
        raise InvalidInput(f"{faults[0].path} {faults[0].message}", faults) from error


def path_within(path: str, item: str) -> str:
    """Build the path of a fault within an item, given the item's own.

    >>> path_within("events[3].value", "events[3]")
    'value'
    """
    return path.removeprefix(item).removeprefix(".")
