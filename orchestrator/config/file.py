"""Reads a site.yaml: a frozen `SiteConfig`, or a `ConfigError` that names every mistake at once.

Each mistake reads `file:line:column: key.path: what is wrong, what is allowed (got ...)`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from orchestrator.config.checks import cross_checks
from orchestrator.config.messages import Finding, findings
from orchestrator.config.secrets import with_secrets
from orchestrator.config.sections import SiteConfig
from orchestrator.documents.yaml_text import Document, KeyPath, Mark, YamlProblem, key_path_text, read_document
from orchestrator.errors import ConfigError, ConfigProblem

_MAX_BYTES = 1_000_000
_START = Mark(1, 1)


def load_config(path: str | Path, environ: Mapping[str, str] | None = None) -> SiteConfig:
    """Read and check the file at `path`. Texts may name variables of `environ` (default: the process's) as `${NAME}`.

    `control.state_dir` comes out absolute: it is relative to the folder of the file, wherever one stands. Raises
    ConfigError with all mistakes.
    """
    return _with_state_beside(parse_config(_read(Path(path)), str(path), environ), Path(path))


def _with_state_beside(config: SiteConfig, path: Path) -> SiteConfig:
    state_dir = os.path.abspath(path.absolute().parent / config.control.state_dir)
    return config.model_copy(update={"control": config.control.model_copy(update={"state_dir": state_dir})})


class UnknownEnvironment(dict[str, str]):
    """The variables of another process, for a check of everything else: each that is not known here is some text."""

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: object = None) -> str:  # noqa: ARG002
        return super().get(name, "set-elsewhere")


def parse_config(text: str, file: str = "site.yaml", environ: Mapping[str, str] | None = None) -> SiteConfig:
    """The same for a text; `file` is what messages call it."""
    try:
        document = read_document(text, os.environ if environ is None else environ)
    except YamlProblem as problem:
        raise _error(file, problem.message, problem.mark) from None
    if document.data is None and not document.problems:
        raise _error(file, "the file is empty; it needs at least site, meter and inverters")
    config, found = _validate(document)
    problems = _all_problems(document, found)
    if config is None or problems:
        raise ConfigError(file, problems)
    return config


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise _error(str(path), "there is no such file") from None
    except IsADirectoryError:
        raise _error(str(path), "this is a directory; name the site.yaml in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _error(str(path), f"the file cannot be read: {reason}") from None
    if len(content) > _MAX_BYTES:
        raise _error(str(path), f"the file is larger than {_MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        mark = Mark(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        raise _error(str(path), "the file is not UTF-8 text; save it as UTF-8", mark) from None


def _error(file: str, message: str, mark: Mark = _START) -> ConfigError:
    return ConfigError(file, (ConfigProblem(mark.line, mark.column, "", message),))


def _validate(document: Document) -> tuple[SiteConfig | None, list[Finding]]:
    """The configuration, if the models accept it, and what is wrong. Findings between values come first."""
    data, crossed = with_secrets(document.data)
    crossed += list(cross_checks(data)) if isinstance(data, Mapping) else []
    try:
        return SiteConfig.model_validate(data), crossed
    except ValidationError as error:
        return None, [*crossed, *findings(error, document)]


def _all_problems(document: Document, found: list[Finding]) -> tuple[ConfigProblem, ...]:
    """In the order of the file, one for each place that is wrong: what follows from a mistake is not told again."""
    by_path: dict[str, ConfigProblem] = {}
    for problem in (*document.problems, *_located(document, found)):
        by_path.setdefault(problem.key_path, problem)
    return tuple(sorted(by_path.values(), key=lambda problem: (problem.line, problem.column, problem.key_path)))


def _located(document: Document, found: list[Finding]) -> Iterator[ConfigProblem]:
    for path, message in found:
        mark = _nearest_mark(document, path)
        yield ConfigProblem(mark.line, mark.column, key_path_text(path), message)


def _nearest_mark(document: Document, path: KeyPath) -> Mark:
    """Where `path` stands, or what it should stand in."""
    while path and path not in document.marks:
        path = path[:-1]
    return document.marks.get(path, _START)
