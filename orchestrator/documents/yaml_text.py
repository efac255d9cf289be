"""The text of a YAML file as plain values, each with the line and column where it stands.

YAML 1.2 as people expect it: only `true` and `false` are booleans, `22:30` is text, `1e3` is a number, a key that is
written twice is a mistake, tags that would build objects are refused. Anchors, aliases and `<<` may be used.
`${NAME}` inside a text is replaced by the environment variable NAME.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from orchestrator.errors import ConfigProblem

KeyPath = tuple[str | int, ...]
Finding = tuple[KeyPath, str]
"""What is wrong, and where: the path of a key."""

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_COLLECTIONS = (_TAG + "map", _TAG + "seq")
_MAX_VALUES = 100_000
_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Mark(NamedTuple):
    """A place in the file, counted from 1."""

    line: int
    column: int


class _Scalar(NamedTuple):
    pattern: re.Pattern[str]
    first_characters: str
    convert: Callable[[str], object]


_SCALARS: dict[str, _Scalar] = {
    "null": _Scalar(re.compile(r"^(?:~|null|Null|NULL|)$"), "~nN", lambda _: None),
    "bool": _Scalar(re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF", lambda text: text.lower() == "true"),
    "int": _Scalar(
        re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"),
        "-+0123456789",
        lambda text: int(text, 0) if text[:2] in ("0x", "0o") else int(text),
    ),
    "float": _Scalar(
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        "-+.0123456789",
        lambda text: float(re.sub(r"\.(?=[inIN])", "", text)),
    ),
}


class _Loader(yaml.SafeLoader):
    """Composes nodes with the YAML 1.2 rules above; values are built by `_Reader`."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own class attribute


for _name, _scalar in _SCALARS.items():
    _Loader.add_implicit_resolver(
        _TAG + _name, _scalar.pattern, [*_scalar.first_characters, *([""] if _name == "null" else [])]
    )
_Loader.add_implicit_resolver(_MERGE, re.compile(r"^<<$"), ["<"])


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says. `marks` and `originals` are by key path; `originals` are texts before `${NAME}` was replaced.

    `problems` are mistakes after which reading could go on (a key written twice, a variable that is not set).
    """

    data: object
    marks: Mapping[KeyPath, Mark]
    originals: Mapping[KeyPath, str]
    problems: tuple[ConfigProblem, ...]


class YamlProblem(Exception):
    """The text cannot be read as YAML at all."""

    def __init__(self, mark: Mark, message: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.message = message


def key_path_text(path: KeyPath) -> str:
    """`("inverters", 1, "port")` as `inverters[1].port`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_document(text: str, environ: Mapping[str, str]) -> Document:
    """Read one YAML document. Raises YamlProblem where it ends all reading."""
    try:
        root = _Loader(text).get_single_node()
        reader = _Reader(environ)
        data = None if root is None else reader.value(root, (), ())
    except yaml.MarkedYAMLError as error:
        raise YamlProblem(_error_mark(error), f"not valid YAML: {_plain(error)}") from None
    except yaml.reader.ReaderError as error:
        before = text[: int(error.position)]
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise YamlProblem(mark, "a control character that YAML does not allow") from None
    except RecursionError:
        raise YamlProblem(Mark(1, 1), "nested too deeply") from None
    return Document(data, reader.marks, reader.originals, tuple(reader.problems))


@dataclass(slots=True)
class _Reader:
    """Walks the nodes once: builds the values, notes where they stand, and collects mistakes."""

    environ: Mapping[str, str]
    marks: dict[KeyPath, Mark] = field(default_factory=dict)
    originals: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)
    count: int = 0

    def value(self, node: Any, path: KeyPath, parents: tuple[int, ...]) -> object:
        self._count(node, parents)
        self.marks.setdefault(path, _mark(node))
        inside = (*parents, id(node))
        if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTIONS:
            self._problem(node, path, f"the YAML tag {_tag_text(node.tag)} is not allowed here")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, inside)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index), inside) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _count(self, node: Any, parents: tuple[int, ...]) -> None:
        """A few aliases of aliases could make a small file into billions of values."""
        self.count += 1
        if self.count > _MAX_VALUES:
            raise YamlProblem(_mark(node), f"more than {_MAX_VALUES} values")
        if id(node) in parents:
            raise YamlProblem(_mark(node), "an anchor that contains itself")

    def _mapping(self, node: yaml.MappingNode, path: KeyPath, parents: tuple[int, ...]) -> dict[str, object]:
        data: dict[str, object] = {}
        for key_node, value_node in self._own_pairs(node, path):
            key = str(key_node.value)
            here = (*path, key)
            self.marks[here] = _mark(key_node)
            data[key] = self.value(value_node, here, parents)
        for key_node, value_node in self._merged_pairs(node, parents):
            key = str(key_node.value)
            if key not in data:
                self.marks[(*path, key)] = _mark(key_node)
                data[key] = self.value(value_node, (*path, key), parents)
        return data

    def _own_pairs(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[Any, Any]]:
        """The pairs written here. Of a key that is written twice the first one counts, and the second is a mistake."""
        first: dict[str, Mark] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                continue
            if key_node.tag != _TAG + "str":
                self._problem(key_node, path, "a key must be plain text")
            elif key_node.value in first:
                line = first[key_node.value].line
                self._problem(key_node, (*path, key_node.value), f"this key is written twice, first in line {line}")
            else:
                first[key_node.value] = _mark(key_node)
                yield key_node, value_node

    def _merged_pairs(self, node: yaml.MappingNode, parents: tuple[int, ...]) -> Iterator[tuple[Any, Any]]:
        """The pairs that `<<` brings in: mappings as listed, the first to have a key wins."""
        for key_node, value_node in node.value:
            if key_node.tag != _MERGE:
                continue
            for source in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
                self._count(source, parents)
                if not isinstance(source, yaml.MappingNode):
                    raise YamlProblem(_mark(source), "'<<' takes a mapping, or a list of mappings")
                yield from (pair for pair in source.value if pair[0].tag == _TAG + "str")
                yield from self._merged_pairs(source, (*parents, id(source)))

    def _scalar(self, node: Any, path: KeyPath) -> object:
        name = str(node.tag).removeprefix(_TAG)
        text = str(node.value)
        if name == "str":
            return self._with_environment(node, path, text)
        scalar = _SCALARS.get(name)
        if scalar is None:
            self._problem(node, path, f"the YAML tag {_tag_text(node.tag)} is not allowed here")
            return None
        try:
            if scalar.pattern.match(text):
                return scalar.convert(text)
        except ValueError:  # Python refuses integers of more than 4300 digits
            pass
        self._problem(node, path, f"is not a value of the YAML tag {_tag_text(node.tag)}")
        return None

    def _with_environment(self, node: Any, path: KeyPath, text: str) -> str:
        def variable(found: re.Match[str]) -> str:
            if found[1] not in self.environ:
                self._problem(node, path, f"the environment variable {found[1]} is not set")
            return self.environ.get(found[1], found[0])

        result = _ENVIRONMENT.sub(variable, text)
        if result != text:
            self.originals[path] = text
        return result

    def _problem(self, node: Any, path: KeyPath, message: str) -> None:
        self.problems.append(ConfigProblem(*_mark(node), key_path_text(path), message))


def _mark(node: Any) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


def _tag_text(tag: str) -> str:
    return tag.replace(_TAG, "!!")


def _error_mark(error: yaml.MarkedYAMLError) -> Mark:
    mark = error.problem_mark or error.context_mark
    return Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)


_PLAIN = (
    (
        "mapping values are not allowed here",
        "a ':' where no key can be; check the indentation, or put the text in quotes",
    ),
    ("found character '\\t'", "a tab; indent with spaces"),
    ("could not find expected ':'", "a key without a ':' behind it"),
    ("expected <block end>", "the indentation does not fit the lines above"),
    ("expected ',' or '}'", "a '{' that is not closed, or a ',' that is missing"),
    ("expected ',' or ']'", "a '[' that is not closed, or a ',' that is missing"),
    ("found unexpected end of stream", "a quote that is not closed"),
    ("but found another document", "a second document ('---'); a site.yaml is one"),
    ("unhashable", "a key must be plain text"),
)


def _plain(error: yaml.MarkedYAMLError) -> str:
    """PyYAML's finding in words for people; its own words where it is a rare one. Never the text of the file."""
    for theirs, ours in _PLAIN:
        if theirs in str(error.problem):
            return ours
    return str(error.problem or error.context or "it cannot be read")
