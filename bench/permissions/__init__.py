"""Which statement of which policy the stack's functions need, seen while its tests run."""

import re

RECORD_VARIABLE = "PERMISSIONS_RECORD"
# Physical names begin with the stack's and end in what is made up for each stack.
_SUFFIX = re.compile(r"-[0-9A-F]{12,}$")


def template_name(physical: str) -> str:
    """Return what a role of a stack is called in the template, of another role its name without the first word."""
    return _SUFFIX.sub("", physical).partition("-")[2]
