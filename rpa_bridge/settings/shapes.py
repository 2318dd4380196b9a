"""What an adapter's settings look like, read off its pydantic model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema

from .places import Place

Schema = Mapping[str, Any]


class _QuietSchema(GenerateJsonSchema):
    """Only the shape is of interest: a default that JSON cannot hold is no reason to warn."""

    ignored_warning_kinds = GenerateJsonSchema.ignored_warning_kinds | {"non-serializable-default"}


@dataclass(frozen=True, slots=True)
class Shape:
    """All that may stand at one place; the alternatives of a union stand side by side."""

    alternatives: tuple[Schema, ...]
    definitions: Mapping[str, Schema]

    @classmethod
    @cache
    def of(cls, model: type[BaseModel]) -> Shape:
        """The shape of a whole model; nothing is known of one that JSON schema cannot describe."""
        try:
            schema = model.model_json_schema(schema_generator=_QuietSchema)
        except PydanticInvalidForJsonSchema:
            return cls((), {})
        definitions = schema.get("$defs", {})
        return cls(tuple(_alternatives(schema, definitions)), definitions)

    def at(self, place: Place) -> Shape:
        """The shape of what stands at a place within."""
        shape = self
        for step in place:
            below = [schema for one in shape.alternatives for schema in _below(one, step)]
            found = tuple(alternative for schema in below for alternative in _alternatives(schema, self.definitions))
            shape = Shape(found, self.definitions)
        return shape

    @property
    def is_known(self) -> bool:
        """Whether the model has such a place at all."""
        return bool(self.alternatives)

    @property
    def is_secret(self) -> bool:
        """Whether it may be a SecretStr."""
        return any(one.get("format") == "password" for one in self.alternatives)

    @property
    def words(self) -> list[str]:
        """The only texts that may stand here; empty when any may."""
        told = [one.get("enum", [one["const"]] if "const" in one else []) for one in self.alternatives]
        return sorted({word for words in told for word in words if isinstance(word, str)}) if all(told) else []

    @property
    def names(self) -> set[str]:
        """The keys that may stand here."""
        return {name for one in self.alternatives for name in one.get("properties", {})}


def _alternatives(schema: Schema, definitions: Mapping[str, Schema]) -> Iterator[Schema]:
    if "$ref" in schema:
        yield from _alternatives(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    unions = [one for word in ("anyOf", "oneOf", "allOf") for one in schema.get(word, ())]
    for one in unions:
        yield from _alternatives(one, definitions)
    if not unions and "$ref" not in schema:
        yield schema


def _below(schema: Schema, step: str | int) -> Iterator[Schema]:
    if isinstance(step, int):
        items = schema.get("items", {} if _takes_anything(schema) else None)
        yield from [*schema.get("prefixItems", ())[step : step + 1], *([items] if isinstance(items, dict) else [])]
    elif step in schema.get("properties", {}):
        yield schema["properties"][step]
    else:
        others = schema.get("additionalProperties", _takes_anything(schema))
        if others is not False:
            yield others if isinstance(others, dict) else {}


def _takes_anything(schema: Schema) -> bool:
    return "type" not in schema
