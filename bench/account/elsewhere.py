"""The figures of an account that other measurements make, and what they are measured on."""

from typing import Any

from local.account_rules import findings, parameter_sets


def template_figures() -> dict[str, Any]:
    """Count the sets of parameters that make a difference, and what would fail on an account with each of them."""
    sets = parameter_sets()
    found = sorted({finding for one in sets for finding in findings(one)})
    return {"parameter_sets": len(sets), "findings": len(found), "findings_told": found}
