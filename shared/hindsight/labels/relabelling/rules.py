"""The comparison of a relabelling's rules with those in force."""

from hindsight.config.store import ConfigurationStore


def same_rules(configurations: ConfigurationStore, model: str, revision: int) -> bool:
    """Check whether a revision labels as the current one does; other changes make no difference.

    Relabelling goes by the rules in force, as joining does: two sets of rules at work on the same labels would undo
    each other's. Raises NotFound for an unknown model or revision.
    """
    current, then = configurations.current(model), configurations.revision(model, revision)
    if current.revision == revision:
        return True
    now, before = current.configuration, then.configuration
    return (now.labels, now.task) == (before.labels, before.task)
