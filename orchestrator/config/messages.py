"""What pydantic found wrong in a site.yaml, said in plain sentences: what is wrong, what is allowed, what was found.

What is allowed is read from the models' own schema, so that it cannot differ from what is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache

from pydantic import ValidationError

from orchestrator.config.sections import MODBUS, MQTT_DRIVER, SiteConfig
from orchestrator.documents.words import Schema, describe, value_text
from orchestrator.documents.yaml_text import Document, KeyPath, key_path_text
from orchestrator.setpoints.fields import ALIASES, FIELDS

Finding = tuple[KeyPath, str]

SECRET_KEYS = frozenset({"password", "token"})


def findings(error: ValidationError, document: Document) -> Iterator[Finding]:
    """One finding for each error, with its path as it is written in the file."""
    for detail in error.errors(include_url=False):
        path = path_in_file(detail["loc"], document.data)
        if detail["type"] == "too_short" and detail["input"]:
            continue  # pydantic counts good entries only; each bad one has its own error
        if path[-1:] == ("[key]",):
            continue  # a name that is no name is not one of `inverters` either, and that is said
        if detail["type"] == "extra_forbidden":
            yield path, unknown_key(path, document.data)
        elif detail["type"] == "missing":
            yield path, f"this key is missing; it must be {describe(schema_at(path, document.data))}"
        elif detail["type"] == "value_error":
            yield path, str(detail["ctx"]["error"])
        else:
            allowed = describe(schema_at(path, document.data))
            yield path, f"must be {allowed} (got {shown(path, detail['input'], document)})"


def path_in_file(location: Iterable[str | int], data: object) -> KeyPath:
    """pydantic's location without the index of a list that is written as one mapping (`setpoints.mqtt`), and without
    the name that tells which of two sections is meant (`driver`).
    """
    path: list[str | int] = []
    for part in location:
        if isinstance(part, int) and isinstance(data, Mapping):
            continue
        if part in (MODBUS, MQTT_DRIVER) and _has_driver(path):
            continue
        path.append(part)
        data = _item(data, part)
    return tuple(path)


def _has_driver(path: list[str | int]) -> bool:
    """Whether what stands at `path` is one of two sections, by its `driver`."""
    return path == ["meter"] or (path[:1] == ["inverters"] and len(path) == 2)


def _item(data: object, part: str | int) -> object:
    if isinstance(data, Mapping):
        return data.get(part)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return None


def unknown_key(path: KeyPath, data: object = None) -> str:
    """Names the nearest key of the section, the section a key belongs to, or all keys that the section has."""
    key = str(path[-1])
    known = list(_properties(schema_at(path[:-1], data)))
    driver = _driver_with(key, path[:-1], known)
    if driver is not None:
        return f"unknown key {key!r}; it belongs to driver {driver!r}, which this section does not have"
    in_messages = {field.name: field.attribute for field in (*FIELDS, *ALIASES)}
    if in_messages.get(key) in known:
        return f"unknown key {key!r}; that is its name in MQTT messages, here it is {in_messages[key]!r}"
    nearest = get_close_matches(key, known, n=1, cutoff=0.4)
    elsewhere = _homes(key) if not get_close_matches(key, known, cutoff=0.75) else ""
    if elsewhere:
        return f"unknown key {key!r}; did you mean {elsewhere}?"
    if nearest:
        return f"unknown key {key!r}; did you mean {nearest[0]!r}?"
    return f"unknown key {key!r}; known here: {', '.join(known)}"


def _driver_with(key: str, path: KeyPath, known: list[str]) -> str | None:
    """The driver whose sections have a key that this one does not know."""
    if not _has_driver(list(path)) or key in known:
        return None
    for driver in ("sunspec", MQTT_DRIVER):
        section = {"driver": driver}
        data = {"meter": section, "inverters": [section] * (int(path[1]) + 1 if len(path) > 1 else 0)}
        if key in _properties(schema_at(path, data)):
            return driver
    return None


def _homes(key: str) -> str:
    """Other sections that have this key, or one that is nearly the same; nothing where that would be a long list."""
    keys = {key for keys in _sections().values() for key in keys}
    nearest = get_close_matches(key, sorted(keys), n=1, cutoff=0.85)
    homes = [repr(section) for section, keys in _sections().items() if nearest and nearest[0] in keys]
    return f"{nearest[0]!r} under {' or '.join(homes)}" if 1 <= len(homes) <= 3 else ""


def shown(path: KeyPath, value: object, document: Document) -> str:
    """A wrong value as a message may show it: never a secret, never the content of an environment variable."""
    if path and path[-1] in SECRET_KEYS:
        return "something that is not shown"
    if path in document.originals:
        return repr(document.originals[path])
    return value_text(value)


@cache
def _schema() -> Schema:
    return SiteConfig.model_json_schema()


def schema_at(path: KeyPath, data: object = None) -> Schema:
    """The JSON schema of what stands at `path`; empty where the models leave it open (`simulation`).

    `data` tells which of two sections is meant where `driver` decides it; without it, the one that speaks Modbus.
    """
    schema = _resolve(_schema())
    for part in path:
        data = _item(data, part)
        if schema.get("type") == "array":
            schema = _resolve(schema.get("items", {}), data)
            if isinstance(part, int):
                continue
        schema = _resolve(_properties(schema).get(str(part)) or _any_property(schema), data)
    return schema


def _properties(schema: Schema) -> dict[str, Schema]:
    if schema.get("type") == "array":
        return _properties(_resolve(schema.get("items", {})))
    return dict(schema.get("properties", {}))


def _any_property(schema: Schema) -> Schema:
    """What a mapping from names holds (`simulation.inverters`)."""
    patterns: list[Schema] = list(schema.get("patternProperties", {}).values())
    open_ended = schema.get("additionalProperties")
    return patterns[0] if patterns else open_ended if isinstance(open_ended, dict) else {}


def _resolve(schema: Schema, data: object = None) -> Schema:
    """Without `$ref`, without the null that `| None` allows, and of two sections the one that `driver` means."""
    if "oneOf" in schema:
        is_mqtt = isinstance(data, Mapping) and data.get("driver") == MQTT_DRIVER
        schema = schema["oneOf"][1 if is_mqtt else 0]
    if "anyOf" in schema:
        schema = next(dict(option) for option in schema["anyOf"] if option.get("type") != "null")
    if "$ref" in schema:
        target: Schema = _schema()["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        return _resolve(target)
    return schema


@cache
def _sections() -> dict[str, frozenset[str]]:
    """The keys of every section, by its path."""
    found: dict[str, frozenset[str]] = {}

    def visit(schema: Schema, path: KeyPath) -> None:
        properties = _properties(schema)
        if properties:
            found[key_path_text(path) or "the top level"] = frozenset(properties)
        for key, inner in properties.items():
            visit(_resolve(inner), (*path, key))

    visit(_resolve(_schema()), ())
    return found
