"""Lines of a document at which paths of it lie, so that an editor can show a fault where it is."""

import re
from collections.abc import Iterator
from dataclasses import replace

import yaml

from hindsight.config.documents.strict_yaml import compose
from hindsight.core.errors import InvalidInput

_LAST_STEP = re.compile(r"(?:\.[^.\[\]]*|\[\d+\])$")


def with_lines(error: InvalidInput, text: str) -> InvalidInput:
    r"""Add to each fault of an error the line of a YAML or JSON document at which it is, or its nearest parent.

    >>> from hindsight.core.errors import Fault
    >>> error = InvalidInput("invalid", (Fault("labels.rules[1].kid", "is no field"), Fault("gate.floor", "is needed")))
    >>> [fault.line for fault in with_lines(error, "labels:\n  rules:\n    - a\n    - {kid: 1}\ngate: {}").faults]
    [4, 5]
    """
    try:
        node = compose(text)
    except InvalidInput:
        return error
    lines = {} if node is None else dict(_lines(node, "", node.start_mark.line + 1))
    faults = tuple(replace(fault, line=_line(lines, fault.path)) for fault in error.faults)
    return InvalidInput(error.message, faults)


def _lines(node: yaml.Node, path: str, line: int) -> Iterator[tuple[str, int]]:
    yield path, line
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield from _lines(child, f"{path}[{index}]", child.start_mark.line + 1)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            name = str(key.value)
            yield from _lines(child, f"{path}.{name}" if path else name, key.start_mark.line + 1)


def _line(lines: dict[str, int], path: str) -> int | None:
    while path not in lines:
        shorter = _LAST_STEP.sub("", path)
        if shorter == path:
            return lines.get("")
        path = shorter
    return lines[path]
