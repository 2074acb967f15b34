"""The parameters of the stack, by group, made of the template."""

from typing import Any

from local.pages import table
from local.template import load_template


def parameters_page() -> str:
    """Write a table for each group of parameters."""
    template = load_template()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    parts = []
    for group in groups:
        rows = [_row(name, template["Parameters"][name]) for name in group["Parameters"]]
        parts.append(f"## {group['Label']['default']}\n\n{table(('parameter', 'takes', 'default', 'effect'), rows)}")
    return "\n\n".join(parts)


def _row(name: str, parameter: dict[str, Any]) -> tuple[str, ...]:
    default = f"`{parameter['Default']}`" if parameter["Default"] != "" else "empty"
    return f"`{name}`", _takes(parameter), default, parameter["Description"]


def _takes(parameter: dict[str, Any]) -> str:
    if "AllowedValues" in parameter:
        return ", ".join(f"`{value}`" for value in parameter["AllowedValues"])
    kind = "number" if parameter["Type"] == "Number" else "text"
    bounds = {"MinValue": "from", "MaxValue": "to", "MaxLength": "at most"}
    limits = [f"{word} {parameter[limit]:,}" for limit, word in bounds.items() if limit in parameter]
    return " ".join([kind, *limits])
