"""Who served before whom: the way back that the history of a pointer leaves open."""

from collections.abc import Iterable, Sequence

from shared.registry.pointer import Change, PointerMove


def champions_left(moves: Iterable[PointerMove]) -> Sequence[str]:
    """Return the champions that rollbacks lead back to, one after the other; the last one is serving.

    ``moves`` are the oldest first; where the beginning is missing, the first one's champion before is the start. A
    version that was rolled back from is not on the way: two rollbacks in a row go two steps back, not there and back.

    >>> from datetime import UTC, datetime
    >>> told = {"why": "", "by": "", "at": datetime(2026, 3, 1, tzinfo=UTC)}
    >>> first = PointerMove(sequence=1, change=Change.PROMOTED, to_version="v1", **told)
    >>> second = PointerMove(sequence=2, change=Change.PROMOTED, from_version="v1", to_version="v2", **told)
    >>> back = PointerMove(sequence=3, change=Change.ROLLED_BACK, from_version="v2", to_version="v1", **told)
    >>> champions_left([first, second]), champions_left([first, second, back])
    (['v1', 'v2'], ['v1'])
    """
    served: list[str] = []
    for move in moves:
        if not served and move.from_version is not None:
            served.append(move.from_version)
        if move.change is Change.PROMOTED:
            # One that comes again takes its newest place only: two rollbacks must not lead back to where they began.
            served = [*(version for version in served if version != move.to_version), move.to_version]
        elif move.change is Change.ROLLED_BACK:
            # Back to one that is no longer on the way: it takes the place of the version rolled back from.
            kept = served.index(move.to_version) if move.to_version in served else len(served) - 1
            served = [*served[:kept], move.to_version]
    return served
