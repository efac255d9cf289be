"""Reads the file of a make: a frozen `Profile`, or a `ConfigError` that names every mistake with file, line and key."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError

from orchestrator.config_yaml import Document, KeyPath, Mark, YamlProblem, key_path_text, read_document
from orchestrator.errors import ConfigError, ConfigProblem
from orchestrator.profiles.schema import Profile

_START: Final = Mark(1, 1)


def parse_profile(text: str, file: str) -> Profile:
    """The profile in `text`; `file` is what messages call it. Raises ConfigError with all mistakes."""
    try:
        document = read_document(text, {})
    except YamlProblem as problem:
        raise ConfigError(file, (ConfigProblem(*problem.mark, "", problem.message),)) from None
    problems = list(document.problems)
    try:
        profile = Profile.model_validate(document.data)
    except ValidationError as error:
        problems += _problems(error, document)
    if problems:
        raise ConfigError(file, tuple(sorted(problems, key=lambda problem: (problem.line, problem.column))))
    return profile


def _problems(error: ValidationError, document: Document) -> Iterator[ConfigProblem]:
    for detail in error.errors(include_url=False):
        path = tuple(detail["loc"])
        while path and path not in document.marks:
            path = path[:-1]
        mark = document.marks.get(path, _START)
        yield ConfigProblem(mark.line, mark.column, key_path_text(path), _message(tuple(detail["loc"]), detail))


def _message(path: KeyPath, detail: Any) -> str:
    if detail["type"] == "missing":
        return f"the key {path[-1]!r} is missing"
    if detail["type"] == "extra_forbidden":
        return f"unknown key {path[-1]!r}{_nearest(path)}"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    return f"{detail['msg'][0].lower()}{detail['msg'][1:]} (got {detail['input']!r})"


def _nearest(path: KeyPath) -> str:
    """The key of the schema that was meant, where one is near."""
    nearest = get_close_matches(str(path[-1]), sorted(_KEYS), n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def _all_keys(schema: dict[str, Any]) -> Iterator[str]:
    for section in (schema, *schema.get("$defs", {}).values()):
        yield from section.get("properties", {})


_KEYS: Final = frozenset(_all_keys(Profile.model_json_schema()))
