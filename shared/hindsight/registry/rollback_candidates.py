"""Rollback candidates: the earlier champions that the deployments of a model lead back to."""

from collections.abc import Iterable, Mapping, Sequence

from hindsight.registry.pointer import Change, DeploymentRecord


def rollback_candidates(deployments: Iterable[DeploymentRecord]) -> Sequence[str]:
    """List the champions that rollbacks lead back to, one after the other; the last one is serving.

    ``deployments`` are the oldest first; where the beginning is missing, the first one's champion before is the start.
    A version that was rolled back from is no candidate: two rollbacks in a row go two steps back, not there and back.
    Going forward again to a newer one keeps the one that served meanwhile as a candidate.

    >>> from datetime import UTC, datetime
    >>> audit = {"reason": "", "actor": "", "at": datetime(2026, 3, 1, tzinfo=UTC)}
    >>> first = DeploymentRecord(sequence=1, change=Change.PROMOTED, to_version="v1", **audit)
    >>> second = DeploymentRecord(sequence=2, change=Change.PROMOTED, from_version="v1", to_version="v2", **audit)
    >>> back = DeploymentRecord(sequence=3, change=Change.ROLLED_BACK, from_version="v2", to_version="v1", **audit)
    >>> rollback_candidates([first, second]), rollback_candidates([first, second, back])
    (['v1', 'v2'], ['v1'])
    """
    served: list[str] = []
    promoted: dict[str, int] = {}
    for deployment in deployments:
        if not served and deployment.from_version is not None:
            served.append(deployment.from_version)
        if deployment.change is Change.PROMOTED:
            promoted[deployment.to_version] = deployment.sequence
            # One that comes again takes its newest place only: two rollbacks must not lead back to where they began.
            served = [*(version for version in served if version != deployment.to_version), deployment.to_version]
        elif deployment.change is Change.ROLLED_BACK:
            served = [*_kept(served, deployment.to_version, promoted), deployment.to_version]
    return served


def _kept(served: Sequence[str], version: str, promoted: Mapping[str, int]) -> Sequence[str]:
    """List the candidates that stay before a version that is gone back, or forward, to."""
    if version in served:
        return served[: served.index(version)]
    is_forward = promoted.get(version, 0) > promoted.get(served[-1], 0)
    return served if is_forward else served[:-1]
