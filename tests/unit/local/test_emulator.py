"""The saver of the embedded AWS's state."""

from collections.abc import Callable

from local.emulator import StateSaver


def failing(times: int) -> Callable[[], str]:
    """Build the reader of a state that changes while it is copied, so many times."""
    left = [RuntimeError("dictionary changed size during iteration")] * times

    def read() -> str:
        if left:
            raise left.pop()
        return "whole"

    return read


def test_state_that_changes_while_it_is_copied_is_read_again() -> None:
    written: dict[str, object] = {}
    StateSaver(written.__setitem__).save({"dynamodb": failing(3)})
    assert written == {"dynamodb": "whole"}


def test_state_that_changes_at_every_attempt_keeps_its_last_file() -> None:
    written: dict[str, object] = {"dynamodb": "before"}
    StateSaver(written.__setitem__).save({"dynamodb": failing(100), "sqs": lambda: "now", "iot": lambda: None})
    assert written == {"dynamodb": "before", "sqs": "now"}
