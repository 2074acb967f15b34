"""Retries pause between attempts, and nowhere else."""

import pytest

from hindsight.core.errors import Unavailable
from hindsight.core.retry import Overtaken, optimistic


def test_attempts_that_keep_being_overtaken_end_without_a_last_pause() -> None:
    pauses: list[int] = []

    def attempt() -> None:
        raise Overtaken

    with pytest.raises(Unavailable):
        optimistic(attempt, otherwise=Unavailable("busy"), pause=pauses.append, max_attempts=4)

    assert pauses == [0, 1, 2]
