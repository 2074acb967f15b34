"""Values that functions keep for the life of their process, cleared between tests."""

from hindsight.bootstrap import clients, erasing, jobs, labelling, models, monitoring, reporting, retraining, stores


def forget_ports() -> None:
    """Have every port and client built anew, in the environment that is then."""
    for module in (clients, stores, erasing, jobs, labelling, models, monitoring, retraining, reporting):
        for port in vars(module).values():
            if hasattr(port, "cache_clear"):
                port.cache_clear()
