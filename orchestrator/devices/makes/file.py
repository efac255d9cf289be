"""Reads the file of a make: a frozen `Profile`, or a `ConfigError` that names every mistake with file, line and key."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from pydantic import ValidationError

from orchestrator.devices.makes.checks import checks
from orchestrator.devices.makes.schema import Profile
from orchestrator.documents.words import Schema, describe, nearest, value_text
from orchestrator.documents.yaml_text import Document, KeyPath, Mark, YamlProblem, key_path_text, read_document
from orchestrator.errors import ConfigError, ConfigProblem

_START: Final = Mark(1, 1)
_NAME_OF_A_KEY: Final = "[key]"
"""What pydantic calls the key of a mapping from names."""


def parse_profile(text: str, file: str) -> Profile:
    """The profile in `text`; `file` is what messages call it. Raises ConfigError with all mistakes."""
    try:
        document = read_document(text, {})
    except YamlProblem as problem:
        raise ConfigError(file, (ConfigProblem(*problem.mark, "", problem.message),)) from None
    profile: Profile | None = None
    try:
        profile = Profile.model_validate(document.data)
        found = [_located(document, path, message) for path, message in checks(profile)]
    except ValidationError as error:
        details = [each for each in error.errors(include_url=False) if not _counts_good_entries(each)]
        found = [_located(document, *_finding(detail, document)) for detail in details]
    problems = _one_for_each_place((*document.problems, *found))
    if profile is None or problems:
        raise ConfigError(file, problems)
    return profile


def _one_for_each_place(problems: tuple[ConfigProblem, ...]) -> tuple[ConfigProblem, ...]:
    """In the order of the file; of several ways to say what is wrong at a place, the first."""
    by_place: dict[tuple[int, int, str], ConfigProblem] = {}
    for problem in problems:
        by_place.setdefault((problem.line, problem.column, problem.key_path), problem)
    return tuple(by_place[place] for place in sorted(by_place))


def _located(document: Document, path: KeyPath, message: str) -> ConfigProblem:
    """The finding where `path` stands, or what it should stand in."""
    at = path
    while at and at not in document.marks:
        at = at[:-1]
    mark = document.marks.get(at, _START)
    return ConfigProblem(mark.line, mark.column, key_path_text(path), message)


def _counts_good_entries(detail: Any) -> bool:
    """A list with a bad entry is too short for pydantic, and the entry has an error of its own."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _finding(detail: Any, document: Document) -> tuple[KeyPath, str]:
    """What pydantic found, in plain words, with its path as it is in the file."""
    location: KeyPath = tuple(detail["loc"])
    path = location
    while path and path not in document.marks:
        path = path[:-1]
    if _NAME_OF_A_KEY in location:
        return path, f"{path[-1]!r} is no name: it takes a to z, 0 to 9 and '_', and begins with a letter"
    if detail["type"] == "value_error":
        return path, str(detail["ctx"]["error"])
    if detail["type"] == "extra_forbidden" and path == location:
        return path, f"unknown key {str(path[-1])!r}; {nearest(str(path[-1]), _keys(path[:-1]))}"
    if detail["type"] == "missing" and path == location[:-1]:
        return location, f"this key is missing; it must be {describe(_schema_at(location))}"
    return path, f"must be {describe(_schema_at(path))} (got {value_text(_value_at(path, document.data))})"


def _value_at(path: KeyPath, data: Any) -> object:
    for part in path:
        data = data[part]
    return data


@cache
def _schema() -> Schema:
    return Profile.model_json_schema()


def _keys(path: KeyPath) -> list[str]:
    return list(_schema_at(path).get("properties", {}))


def _schema_at(path: KeyPath) -> Schema:
    """The JSON schema of what stands at `path`; empty where it is unknown."""
    schema = _schema()
    for part in path:
        if isinstance(part, int):
            schema = schema.get("items", {})
        else:
            schema = schema.get("properties", {}).get(part) or _any_property(schema)
        schema = _resolved(schema)
    return schema


def _any_property(schema: Schema) -> Schema:
    """What a mapping from names holds."""
    for pattern in schema.get("patternProperties", {}).values():
        return dict(pattern)
    open_ended = schema.get("additionalProperties")
    return open_ended if isinstance(open_ended, dict) else {}


def _resolved(schema: Schema) -> Schema:
    """Without `$ref`, and of alternatives that have no description of their own the first that is not null."""
    if "anyOf" in schema and "description" not in schema:
        schema = next(dict(option) for option in schema["anyOf"] if option.get("type") != "null")
    if "$ref" in schema:
        return _resolved(_schema()["$defs"][schema["$ref"].rsplit("/", 1)[-1]])
    return schema
