"""The schemas of models, with the descriptions of fields, which stand below them in the source as docstrings."""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from hindsight.config.types import format_duration

Schema = dict[str, Any]


class _PlainDefaults(GenerateJsonSchema):
    """Schemas whose defaults a configuration may have: pydantic's own durations have years, which are refused."""

    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def schemas_of(model: type[BaseModel], ref_template: str = "#/$defs/{model}") -> dict[str, Schema]:
    """Build the schemas of a model and of all it refers to, by name, with the descriptions of their fields."""
    schema = model.model_json_schema(ref_template=ref_template, by_alias=True, schema_generator=_PlainDefaults)
    return _described({**schema.pop("$defs", {}), model.__name__: schema})


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Read the docstrings of a model's fields, those it inherits too.

    >>> from hindsight.config.triggers import RunBudget
    >>> field_docs(RunBudget)["per"]
    'The length of the period.'
    """
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            found |= _own_docs(base)
    return found


def _described(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Add the descriptions to the properties of schemas, each named as its model."""
    models = {model.__name__: model for model in _models(BaseModel)}
    return {name: _with_docs(schema, models.get(name)) for name, schema in schemas.items()}


def _with_docs(schema: Schema, model: type[BaseModel] | None) -> Schema:
    if model is None or "properties" not in schema:
        return schema
    docs = field_docs(model)
    properties = {
        name: {**found, "description": docs[name]} if name in docs else found
        for name, found in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _own_docs(model: type[BaseModel]) -> dict[str, str]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(tree, ast.ClassDef)
    docs: dict[str, str] = {}
    for field, after in zip(tree.body, tree.body[1:], strict=False):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = text
    return docs


def _models(base: type[BaseModel]) -> list[type[BaseModel]]:
    return [found for model in base.__subclasses__() for found in (model, *_models(model))]
