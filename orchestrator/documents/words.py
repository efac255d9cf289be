"""Values of a file, and what they may be, in plain words: for messages about mistakes."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from math import isfinite, isnan
from typing import Any

Schema = dict[str, Any]
"""JSON schema, as pydantic makes it of a model."""

_SHOWN_CHARACTERS = 60
_SHOWN_NAMES = 24
_BOUNDS = {"exclusiveMinimum": "above", "minimum": "of at least", "maximum": "at most", "exclusiveMaximum": "below"}


def value_text(value: object) -> str:
    """A value as a message shows it, such as `the text 'abc'` or `a list of 3`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _number(value)
        case str():
            return f"the text {_cut(value)!r}"
    return f"a list of {len(value)}" if isinstance(value, list | tuple) else "a mapping"


def nearest(name: str, names: Iterable[str], most: int = _SHOWN_NAMES) -> str:
    """What may have been meant with an unknown name: the one that is near, or all where they are not above `most`."""
    known = sorted(names)
    found = get_close_matches(name, known, n=1, cutoff=0.55)
    if found:
        return f"did you mean {found[0]!r}?"
    shown = ", ".join(known) if len(known) <= most else f"{len(known)} others"
    return f"there are {shown or 'none'}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."


def describe(schema: Schema) -> str:
    """What a value may be, such as `a whole number from 1 to 65535`."""
    if schema.get("type") == "object":
        return "a mapping of keys"
    if "const" in schema or "enum" in schema:
        return _one_of(schema.get("enum", [schema.get("const")]))
    if "description" in schema:
        return str(schema["description"])
    return _alternatives(schema["anyOf"]) if "anyOf" in schema else _kind(schema)


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _range(schema)
    if kind == "array":
        return "a list" + (f" of {_count(schema)} entries" if "maxItems" in schema else "")
    return {"boolean": "true or false", "string": "text"}.get(str(kind), "something else")


def _alternatives(schemas: list[Schema]) -> str:
    """What may be of several kinds, with the fixed values of all of them together at the end."""
    fixed = [value for each in schemas for value in each.get("enum", [each["const"]] if "const" in each else [])]
    others = [describe(each) for each in schemas if "enum" not in each and "const" not in each]
    return " or ".join([*others, *([_one_of(fixed)] if fixed else [])])


def _one_of(values: list[object]) -> str:
    shown = [repr(value) for value in values]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _range(schema: Schema) -> str:
    """The bounds that a schema has, as ` from 1 to 65535` or ` above 0 and at most 30`."""
    if "minimum" in schema and "maximum" in schema:
        return f" from {_number(schema['minimum'])} to {_number(schema['maximum'])}"
    bounds = [f"{words} {_number(schema[key])}" for key, words in _BOUNDS.items() if key in schema]
    return f" {' and '.join(bounds)}" if bounds else ""


def _number(value: float | int) -> str:
    """Whole numbers without a point, and what is not finite as YAML writes it."""
    if isinstance(value, float) and not isfinite(value):
        return ".nan" if isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, int) and abs(value) >= 10**300:
        return "a number of more than 300 digits"
    if abs(value) >= 1e15:
        return f"{float(value):g}"
    return str(int(value)) if value == int(value) else repr(value)


def _count(schema: Schema) -> str:
    """How many entries a list has."""
    least, most = schema["minItems"], schema["maxItems"]
    return f"{most}" if least == most else f"{least} to {most}"
