"""Who served before whom: the way back that the history of a pointer leaves open."""

from collections.abc import Iterable, Mapping, Sequence

from hindsight.registry.pointer import Change, PointerMove


def champions_left(moves: Iterable[PointerMove]) -> Sequence[str]:
    """Return the champions that rollbacks lead back to, one after the other; the last one is serving.

    ``moves`` are the oldest first; where the beginning is missing, the first one's champion before is the start. A
    version that was rolled back from is not on the way: two rollbacks in a row go two steps back, not there and back.
    Going forward again to a newer one leaves the one that served meanwhile on the way.

    >>> from datetime import UTC, datetime
    >>> told = {"why": "", "by": "", "at": datetime(2026, 3, 1, tzinfo=UTC)}
    >>> first = PointerMove(sequence=1, change=Change.PROMOTED, to_version="v1", **told)
    >>> second = PointerMove(sequence=2, change=Change.PROMOTED, from_version="v1", to_version="v2", **told)
    >>> back = PointerMove(sequence=3, change=Change.ROLLED_BACK, from_version="v2", to_version="v1", **told)
    >>> champions_left([first, second]), champions_left([first, second, back])
    (['v1', 'v2'], ['v1'])
    """
    served: list[str] = []
    promoted: dict[str, int] = {}
    for move in moves:
        if not served and move.from_version is not None:
            served.append(move.from_version)
        if move.change is Change.PROMOTED:
            promoted[move.to_version] = move.sequence
            # One that comes again takes its newest place only: two rollbacks must not lead back to where they began.
            served = [*(version for version in served if version != move.to_version), move.to_version]
        elif move.change is Change.ROLLED_BACK:
            served = [*_kept(served, move.to_version, promoted), move.to_version]
    return served


def _kept(served: Sequence[str], version: str, promoted: Mapping[str, int]) -> Sequence[str]:
    """Return those that stay on the way before a version that is gone back, or forward, to."""
    if version in served:
        return served[: served.index(version)]
    is_forward = promoted.get(version, 0) > promoted.get(served[-1], 0)
    return served if is_forward else served[:-1]
