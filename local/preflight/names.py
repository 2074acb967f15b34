"""Names that a deployment would make, against the limits of their services."""

from collections.abc import Iterator

from local.account_rules.names import names_are_too_long
from local.preflight.check import Account, Check, Verdict
from local.transformed import Deployment


def check_names(_account: Account, deployment: Deployment) -> Iterator[Check]:
    """Check the stack's name and all that is made of it."""
    stack = deployment.place.stack_name
    unfit = list(names_are_too_long(deployment))
    if stack != stack.lower():
        mend = "choose a name in lower case: it becomes part of the bucket's"
        yield Check("Names", Verdict.FAILURE, f"the stack's name {stack!r} has capital letters", mend)
    elif unfit:
        yield Check("Names", Verdict.FAILURE, "; ".join(unfit), "choose a shorter name of the stack")
    else:
        yield Check("Names", Verdict.OK, f"{stack!r} fits every name that is made of it")
