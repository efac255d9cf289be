"""A YAML file as a value of its model, or every mistake in it at once, whatever kind of file it is.

Each mistake reads `file:line:column: key.path: what is wrong, what is allowed (got ...)`. A kind of file brings its
model, its checks between values, and its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from orchestrator.documents.schema import Shape, item_of, shape_of
from orchestrator.documents.section import Mistakes
from orchestrator.documents.text_file import START, file_error, read_text
from orchestrator.documents.words import Schema, describe, value_text
from orchestrator.documents.yaml_text import (
    Document,
    Finding,
    KeyPath,
    YamlProblem,
    key_path_text,
    read_document,
)
from orchestrator.errors import ConfigError, ConfigProblem

SECRET_KEYS = frozenset({"password", "token"})
"""Keys whose values no message shows."""
MOST_HOMES = 3
"""So many other sections are named at most."""
_NAME_OF_A_KEY = "[key]"
"""What pydantic calls the key of a mapping from names."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A key that its section does not know: the `path` to it, and what the file says."""

    path: KeyPath
    data: object
    shape: Shape

    @property
    def key(self) -> str:
        """The key itself."""
        return str(self.path[-1])

    @property
    def known(self) -> list[str]:
        """The keys that its section knows."""
        return self.shape.keys(self.path[:-1], self.data)

    @property
    def missing(self) -> list[str]:
        """The keys that its section must have, and has not."""
        section = self.data
        for part in self.path[:-1]:
            section = item_of(section, part)
        required = self.shape.required(self.path[:-1], self.data)
        return [key for key in required if isinstance(section, Mapping) and key not in section]


def _unchanged(data: object) -> tuple[object, list[Finding]]:
    return data, []


def _nothing(_value: object) -> Iterable[Finding]:
    return ()


@dataclass(frozen=True)
class FileKind(Generic[Model]):
    """One kind of file.

    `prepare` takes the plain values of a file before the model sees them, and gives them back, filled where something
    stands elsewhere, with the mistakes between them: it speaks even where single values are wrong. `check` takes the
    model. `hint` says in its own words what an unknown key may mean, or None. `names` says what a name that people
    choose may be.
    """

    what: str
    model: type[Model]
    prepare: Callable[[Any], tuple[Any, list[Finding]]] = _unchanged
    check: Callable[[Model], Iterable[Finding]] = _nothing
    hint: Callable[[UnknownKey], str | None] = lambda _: None
    names: str = "it takes 1 to 32 characters out of a-z, 0-9, '_' and '-'"

    def load(self, path: Path, environ: Mapping[str, str]) -> Model:
        """Read the file at `path`. Texts may name variables of `environ` as `${NAME}`.

        Raises ConfigError with all mistakes.
        """
        return self.parse(read_text(path, self.what), str(path), environ)

    def parse(self, text: str, file: str, environ: Mapping[str, str]) -> Model:
        """The same for a text; `file` is what messages call it."""
        try:
            document = read_document(text, environ)
        except YamlProblem as problem:
            raise file_error(file, problem.message, problem.mark) from None
        value, found = self._validated(document)
        problems = _in_order(document.problems, _located(document, found))
        if value is None or problems:
            raise ConfigError(file, problems)
        return value

    def _validated(self, document: Document) -> tuple[Model | None, list[Finding]]:
        """The value, if the model takes it, and what is wrong. Mistakes between plain values come first."""
        data, found = self.prepare(document.data)
        try:
            value = self.model.model_validate(data)
        except ValidationError as error:
            return None, [*found, *_innermost(self._findings(error, document))]
        return value, [*found, *self.check(value)]

    def _findings(self, error: ValidationError, document: Document) -> Iterator[Finding]:
        """One or more for each error of pydantic, with the path as it is written in the file."""
        shape = shape_of(self.model)
        for detail in error.errors(include_url=False):
            location = detail["loc"]
            path = shape.path_in_file([part for part in location if part != _NAME_OF_A_KEY], document.data)
            is_exact = path[-1:] == location[-1:]
            cause = detail["ctx"]["error"] if detail["type"] == "value_error" else None
            if isinstance(cause, Mistakes):
                yield from (((*path, *inner), message) for inner, message in cause.findings)
            elif cause is not None:
                yield path, str(cause)
            elif _NAME_OF_A_KEY in location:
                yield path, f"{path[-1]!r} is no name: {self.names}"
            elif detail["type"] == "extra_forbidden" and is_exact:
                yield path, self._unknown_key(UnknownKey(path, document.data, shape))
            elif detail["type"] == "missing" and is_exact:
                yield path, f"this key is missing; it must be {describe(shape.at(path, document.data))}"
            else:
                yield path, f"must {_allowed(detail, shape.at(path, document.data))} (got {_shown(path, document)})"

    def _unknown_key(self, unknown: UnknownKey) -> str:
        """Names the nearest key of the section, the section that the key belongs to, or all keys that are known."""
        meant = self.hint(unknown) or _elsewhere(unknown) or _nearest_here(unknown)
        return f"unknown key {unknown.key!r}; {meant}"


def _allowed(detail: Any, schema: Schema) -> str:
    """What a wrong value had to be; where only its length is wrong, and nothing else says it, how long."""
    if detail["type"] == "too_short" and "maxItems" not in schema:
        least = detail["ctx"]["min_length"]
        return f"have at least {least} {'entry' if least == 1 else 'entries'}"
    return f"be {describe(schema)}"


def _nearest_here(unknown: UnknownKey) -> str:
    """The nearest key; where none is near, the only one that is missing; else one that is a little like it."""
    missing = unknown.missing if len(unknown.missing) == 1 else []
    near = get_close_matches(unknown.key, unknown.known, n=1, cutoff=0.6) or missing
    near = near or get_close_matches(unknown.key, unknown.known, n=1, cutoff=0.4)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(unknown.known)}"


def _elsewhere(unknown: UnknownKey) -> str | None:
    """Other sections that have this key, or nearly; None where it is near one of its own, or the list would be long.

    Where there are many, the first of those with the same keys stands for all of them.
    """
    if get_close_matches(unknown.key, unknown.known, cutoff=0.75):
        return None
    sections = unknown.shape.sections()
    keys = sorted({key for keys in sections.values() for key in keys})
    near = get_close_matches(unknown.key, keys, n=1, cutoff=0.85)
    homes = {path or "the top level": keys for path, keys in sections.items() if near and near[0] in keys}
    missing = [key_path_text((*_section_of(unknown), key)) for key in unknown.missing]
    homes = {path: keys for path, keys in homes.items() if path in missing} or homes
    if len(homes) > MOST_HOMES:
        homes = {path: keys for path, keys in homes.items() if path == list(homes)[list(homes.values()).index(keys)]}
    words = " or ".join(map(repr, homes))
    return f"did you mean {near[0]!r} under {words}?" if 1 <= len(homes) <= MOST_HOMES else None


def _section_of(unknown: UnknownKey) -> KeyPath:
    """The section that has the key, as `Shape.sections` calls it: a list is as its one entry."""
    return tuple(part for part in unknown.path[:-1] if not isinstance(part, int))


def _innermost(findings: Iterable[Finding]) -> list[Finding]:
    """Without those about a whole whose part is told: a list counts its good entries only, and of two kinds of value
    the one that was not meant is wrong in every case.
    """
    found = list(findings)
    outer = {path[:length] for path, _ in found for length in range(len(path))}
    return [(path, message) for path, message in found if path not in outer]


def _shown(path: KeyPath, document: Document) -> str:
    """A wrong value as a message may show it: never a secret, never the content of an environment variable."""
    if path and path[-1] in SECRET_KEYS:
        return "something that is not shown"
    if path in document.originals:
        return repr(document.originals[path])
    data = document.data
    for part in path:
        data = item_of(data, part)
    return value_text(data)


def _in_order(of_text: Iterable[ConfigProblem], of_values: Iterable[ConfigProblem]) -> tuple[ConfigProblem, ...]:
    """In the order of the file. Of the values one mistake for each place, and none where the text is wrong already:
    what follows from a mistake is not told again.
    """
    problems = list(of_text)
    told = {problem.key_path for problem in problems}
    for problem in of_values:
        if problem.key_path not in told:
            told.add(problem.key_path)
            problems.append(problem)
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column, problem.key_path)))


def _located(document: Document, found: Iterable[Finding]) -> Iterator[ConfigProblem]:
    """Each finding where its path stands, or what it should stand in."""
    for path, message in found:
        at = path
        while at and at not in document.marks:
            at = at[:-1]
        mark = document.marks.get(at, START)
        yield ConfigProblem(mark.line, mark.column, key_path_text(path), message)
