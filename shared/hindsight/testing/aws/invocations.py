"""Invocations that a function starts of itself, in memory: they wait until a test makes them."""

from collections.abc import Callable, Mapping
from typing import Any

from hindsight.core.errors import Unavailable


class InMemoryInvocations:
    """Payloads in a list; ``refused`` starts are refused, each as often as it is in there; "" is one of no model."""

    def __init__(self, refused: list[str] | None = None) -> None:
        self.payloads: list[dict[str, Any]] = []
        self._refused = refused or []

    @property
    def models(self) -> list[str]:
        """The models that got an invocation, in order."""
        return [payload["detail"]["model"] for payload in self.payloads if "model" in payload["detail"]]

    def start(self, payload: Mapping[str, Any]) -> None:
        model = payload.get("detail", payload).get("model", "")
        if model in self._refused:
            self._refused.remove(model)
            raise Unavailable(f"{model or 'the one that carries on'} is refused")
        self.payloads.append(dict(payload))

    def make(self, handler: Callable[[dict[str, Any]], Any]) -> tuple[list[Any], list[Exception]]:
        """Make what waits, and what that starts, each by itself; return the answers and the failures."""
        answers, failures = list[Any](), list[Exception]()
        while self.payloads:
            payload = self.payloads.pop(0)
            try:
                answers.append(handler(payload))
            except Exception as error:  # noqa: BLE001  Lambda keeps each failure its own
                failures.append(error)
        return answers, failures
