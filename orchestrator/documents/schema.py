"""What may stand at a place of a file, by the JSON schema that pydantic makes of a model.

Messages read from it what is allowed, so that it cannot differ from what is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from orchestrator.documents.words import Schema
from orchestrator.documents.yaml_text import KeyPath, key_path_text


class Shape:
    """The schema of a model, walked by the key paths of a file.

    `data` is what the file says: it tells which of several sections is meant where one key decides that (`driver`).
    Without it, that is the first one.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self._root: Schema = model.model_json_schema()
        self._sections = {key_path_text(path): frozenset(keys) for path, keys in self._all_sections(self._root, ())}

    def at(self, path: KeyPath, data: object = None) -> Schema:
        """The schema of what stands at `path`; empty where the model leaves it open or knows no such place."""
        schema = self._resolved(self._root, data)
        for part in path:
            schema, data = self._inside(schema, part, data), item_of(data, part)
            schema = self._resolved(schema, data)
        return schema

    def keys(self, path: KeyPath, data: object = None) -> list[str]:
        """The keys that the section at `path` knows, in the order of the model."""
        return list(self._properties(self.at(path, data)))

    def required(self, path: KeyPath, data: object = None) -> list[str]:
        """The keys that the section at `path` must have."""
        return list(self.at(path, data).get("required", ()))

    def sections(self) -> Mapping[str, frozenset[str]]:
        """The keys of every section by its path as text, empty for the top level; a list is as its one entry."""
        return self._sections

    def path_in_file(self, location: Iterable[str | int], data: object) -> KeyPath:
        """Where in the file pydantic's `location` is: without the names that tell which of several alternatives was
        tried, and without the index of a list that is written as one mapping.

        Of alternatives that are described as a whole it is the place of the whole.
        """
        path, schema = list[str | int](), self._root
        for part in location:
            if self._has_alternatives(schema):
                schema = self._resolved(schema, data)
                continue  # this part is the name of an alternative, or is inside of those that stay together
            inside = item_of(data, part, missing=_NOTHING)
            if inside is _NOTHING and isinstance(part, int):
                continue
            path.append(part)
            schema = self._inside(self._resolved(schema, data), part, data)
            data = None if inside is _NOTHING else inside
        return tuple(path)

    def _inside(self, schema: Schema, part: str | int, data: object) -> Schema:
        """What `part` of a value leads to, with its alternatives; a list may be written as its one entry."""
        if schema.get("type") == "array":
            items: Schema = schema.get("items", {})
            return items if isinstance(part, int) else self._inside(self._resolved(items, data), part, data)
        return self._properties(schema).get(str(part)) or _any_property(schema)

    def _properties(self, schema: Schema) -> dict[str, Schema]:
        if schema.get("type") == "array":
            return self._properties(self._resolved(schema.get("items", {}), None))
        return dict(schema.get("properties", {}))

    def _resolved(self, schema: Schema, data: object) -> Schema:
        """Without `$ref`, without the null that `| None` allows, and of alternatives the one that `data` is.

        Alternatives that have a description stay together, and so do those between which `data` does not decide.
        """
        if "$ref" in schema:
            return self._resolved(self._definition(schema), data)
        if "description" in schema or not ("oneOf" in schema or "anyOf" in schema):
            return schema
        options = [self._resolved(option, data) for option in _alternatives(schema)]
        fitting = [option for option in options if _fits(option, data)]
        if fitting:
            return max(fitting, key=lambda option: len(_constants(option)))
        return options[0] if len(options) == 1 or "oneOf" in schema else {"anyOf": options}

    def _definition(self, schema: Schema) -> Schema:
        found: Schema = self._root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        return found

    def _has_alternatives(self, schema: Schema) -> bool:
        """Whether pydantic names an alternative in a location here; `| None` alone is none."""
        while "$ref" in schema:
            schema = self._definition(schema)
        options = _alternatives(schema)
        return len(options) > 1 or any(self._has_alternatives(option) for option in options)

    def _all_sections(self, schema: Schema, path: KeyPath) -> Iterator[tuple[KeyPath, Iterable[str]]]:
        properties = self._properties(schema)
        if properties:
            yield path, properties
        for key, inner in properties.items():
            yield from self._all_sections(self._resolved(inner, None), (*path, key))


@cache
def shape_of(model: type[BaseModel]) -> Shape:
    """The shape of a model, made once."""
    return Shape(model)


_NOTHING = object()


def item_of(data: object, part: str | int, missing: object = None) -> object:
    """What `part` of a mapping or a list is, `missing` where there is no such part."""
    if isinstance(data, Mapping):
        return data.get(part, missing)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return missing


def _alternatives(schema: Schema) -> list[Schema]:
    options: list[Schema] = schema.get("oneOf") or schema.get("anyOf") or []
    return [option for option in options if option.get("type") != "null"]


def _any_property(schema: Schema) -> Schema:
    """What a mapping from names holds."""
    patterns: list[Schema] = list(schema.get("patternProperties", {}).values())
    open_ended = schema.get("additionalProperties")
    return patterns[0] if patterns else open_ended if isinstance(open_ended, dict) else {}


def _fits(schema: Schema, data: object) -> bool:
    """Whether `data` is of the kind that `schema` wants, and says what it has to say (`driver: mqtt`)."""
    if isinstance(data, Mapping):
        return schema.get("type") == "object" and all(
            data.get(key) in values for key, values in _constants(schema).items()
        )
    return isinstance(data, list) and schema.get("type") == "array"


def _constants(schema: Schema) -> dict[str, tuple[Any, ...]]:
    """The keys that tell this section from others, each with the values that it must have one of."""
    properties, required = schema.get("properties", {}), schema.get("required", ())
    constants = {key: (inner["const"],) for key, inner in properties.items() if "const" in inner}
    return constants | {key: tuple(properties[key]["enum"]) for key in required if "enum" in properties[key]}
