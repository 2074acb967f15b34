"""The subcommands of ``hindsight``: every module here is one, named as the command and listed in a group.

A module has a docstring (its help), ``add_arguments(parser)`` and ``run(arguments) -> int``; ``arguments.state`` is the
folder that remembers the stacks.
"""

GROUPS = {
    "a stack on this machine": ("up", "down", "status", "console", "env", "try", "deploy"),
    "data of a running stack": ("tick", "replay", "demo", "import", "export", "verify", "redrive"),
    "models of your own": ("follow", "judge"),
    "an AWS account": ("preflight", "adopt"),
    "the checkout": ("openapi", "template", "requirements", "sizes", "audit"),
}
