"""The statements of policies that the stack's functions need, recorded while its tests run."""

import re

RECORD_VARIABLE = "PERMISSIONS_RECORD"
# Physical names begin with the stack's and end in what is made up for each stack.
_SUFFIX = re.compile(r"-[0-9A-F]{12,}$")


def template_name(physical: str) -> str:
    """Name a role of a stack as the template does, another role without the first word of its name."""
    return _SUFFIX.sub("", physical).partition("-")[2]
