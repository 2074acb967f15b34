"""Attempts at the parts of one piece of work: a failure of one part does not keep the others from being done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hindsight.core.errors import HindsightError


@dataclass(slots=True)
class Attempts:
    """The parts of one piece of work; ``failures`` are those that failed, by name.

    Errors to let ``through`` are none of one part: they end the work at once.

    >>> parts = Attempts()
    >>> with parts.attempt("first"):
    ...     raise ValueError("broken")
    >>> [(name, str(error)) for name, error in parts.failures]
    [('first', 'broken')]
    """

    failures: list[tuple[str, Exception]] = field(default_factory=list)
    through: tuple[type[Exception], ...] = ()

    @contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """Attempt one part, and keep its failure."""
        try:
            yield
        except self.through:
            raise
        except Exception as error:  # noqa: BLE001  raise_failures raises it once all parts have been attempted
            self.failures.append((name, error))

    def raise_failures(self, build: Callable[[str], HindsightError], action: str) -> None:
        """Raise one error of all failures, if there are any."""
        if self.failures:
            found = ", ".join(f"{name} ({type(error).__name__}: {error})" for name, error in self.failures)
            raise build(f"could not {action} {found}") from self.failures[0][1]
