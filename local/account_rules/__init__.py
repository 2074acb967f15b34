"""Rules that a real account enforces and an embedded one does not, over the template as SAM transforms it.

``findings`` applies all of them to one set of parameters; ``parameter_sets`` are all the sets that make a difference.
"""

from collections.abc import Callable, Iterator

from local.account_rules.functions import functions_outgrow_the_account
from local.account_rules.keys import roles_cannot_use_the_key
from local.account_rules.machines import machines_lack_rights, machines_wait_for_what_is_off
from local.transformed import Deployment, Parameters, deployment, parameter_sets

Rule = Callable[[Deployment], Iterator[str]]

RULES: tuple[Rule, ...] = (
    machines_lack_rights,
    machines_wait_for_what_is_off,
    roles_cannot_use_the_key,
    functions_outgrow_the_account,
)

__all__ = ["RULES", "findings", "parameter_sets"]


def findings(parameters: Parameters | None = None) -> list[str]:
    """Find what would fail on a real account with these parameters."""
    deployed = deployment(parameters)
    return [*deployed.dangling, *(found for rule in RULES for found in rule(deployed))]
