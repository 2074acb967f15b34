"""The subcommands of ``python -m local``: every module here is one, named as the command.

A module has a docstring (its help), ``add_arguments(parser)`` and ``run(arguments) -> int``; ``arguments.state`` is the
folder that remembers the stacks.
"""
