"""YAML whose scalars mean what they would in JSON: no guessing of types."""

import re
from typing import Any

import yaml

from hindsight.core import compact_json
from hindsight.core.errors import Fault, InvalidInput

_TEXT = "tag:yaml.org,2002:str"
_PLAIN = "plain"
_TAGS: dict[type[yaml.Node], str] = {
    yaml.MappingNode: "tag:yaml.org,2002:map",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS = {"": None, "null": None, "true": True, "false": False}


def parse_yaml(text: str) -> Any:
    """Parse a YAML document to the plain values that the same document in JSON would have.

    A scalar without quotes is null (also where nothing stands), true, false or a number only as JSON writes them;
    else it is text, and so is every key as it is written. Raises InvalidInput with the path at fault, also for a key
    that is given twice, for tags, and for aliases: a few of them nested blow up to gigabytes.

    >>> parse_yaml("{norway: NO, code: 010, at: 12:30, yes: true, share: 0.5, nothing: }")
    {'norway': 'NO', 'code': '010', 'at': '12:30', 'yes': True, 'share': 0.5, 'nothing': None}
    """
    node = compose(text)
    return None if node is None else _value(node, "", compact_json.MAX_DEPTH)


def compose(text: str) -> yaml.Node | None:
    """Read a YAML document's nodes, None of an empty one. Raises InvalidInput with the line at fault."""
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" at line {mark.line + 1} column {mark.column + 1}" if mark else ""
        # The commonest cause: `curl -d @file` sends the lines of a file as one.
        joined = "; if it was sent by curl, use --data-binary: -d joins the lines" if _is_joined(text) else ""
        raise InvalidInput(f"not valid YAML: {error.problem or error.context}{place}{joined}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInput(f"not valid YAML: {_first_line(error)}") from error
    except RecursionError as error:
        raise InvalidInput(f"the YAML is nested deeper than {compact_json.MAX_DEPTH} levels") from error
    return node


def _is_joined(text: str) -> bool:
    return "\n" not in text and text.count(": ") > 1 and not text.lstrip().startswith("{")


class _Loader(yaml.SafeLoader):
    """The safe loader without YAML's resolution of scalars: it distinguishes only plain ones from quoted ones."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # noqa: ARG002  as it is called
        """Choose the tag of a node that names none."""
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else _TEXT
        return _TAGS[kind]

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose the next node, unless it is an alias."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise InvalidInput(f"YAML aliases are not read, as at line {mark.line + 1}; write the value out")
        return super().compose_node(parent, index)


def _value(node: yaml.Node, path: str, levels: int) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, path)
    if levels == 0:
        raise InvalidInput(f"the YAML is nested deeper than {compact_json.MAX_DEPTH} levels")
    if node.tag != _TAGS[type(node)]:
        raise _fault(path, f"has the tag {node.tag}; tags are not read")
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, f"{path}[{index}]", levels - 1) for index, child in enumerate(node.value)]
    values: dict[str, Any] = {}
    for key, child in node.value:
        name = _key(key, path)
        within = f"{path}.{name}" if path else name
        if name in values:
            raise _fault(within, f"is given twice, again at line {key.start_mark.line + 1}")
        values[name] = _value(child, within, levels - 1)
    return values


def _key(node: yaml.Node, path: str) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag not in {_PLAIN, _TEXT}:
        raise _fault(path, f"has a key at line {node.start_mark.line + 1} that is not text")
    return _unicode(node.value, path)


def _scalar(node: yaml.ScalarNode, path: str) -> Any:
    text = _unicode(node.value, path)
    if node.tag == _TEXT:
        return text
    if node.tag != _PLAIN:
        raise _fault(path, f"has the tag {node.tag}; tags are not read")
    if text in _WORDS:
        return _WORDS[text]
    return _number(text, path) if _NUMBER.fullmatch(text) else text


def _unicode(text: str, path: str) -> str:
    """Join pairs of surrogates, which JSON's escapes write one by one."""
    try:
        return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise _fault(path, "is not well-formed Unicode") from error


def _number(text: str, path: str) -> Any:
    try:
        return compact_json.loads(text)
    except InvalidInput as error:
        raise _fault(path, error.message) from error


def _fault(path: str, message: str) -> InvalidInput:
    return InvalidInput(f"{path or 'the document'} {message}", (Fault(path, message),))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
