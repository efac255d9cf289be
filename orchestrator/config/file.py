"""Reads a site.yaml: a frozen `SiteConfig`, or a `ConfigError` that names every mistake at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from orchestrator.config.checks import cross_checks
from orchestrator.config.hints import meaning_of_key
from orchestrator.config.secrets import with_secrets
from orchestrator.config.sections import SiteConfig
from orchestrator.documents.problems import FileKind
from orchestrator.documents.yaml_text import Finding


def load_config(path: str | Path, environ: Mapping[str, str] | None = None) -> SiteConfig:
    """Read and check the file at `path`. Texts may name variables of `environ` (default: the process's) as `${NAME}`.

    `control.state_dir` and the files that are named in it come out absolute: they are relative to the folder of the
    file, wherever one stands. Raises ConfigError with all mistakes.
    """
    environ, folder = os.environ if environ is None else environ, Path(path).absolute().parent
    kind = replace(SITE_YAML, prepare=partial(_prepare, folder=folder))
    return _with_state_in(folder, kind.load(Path(path), environ))


def parse_config(text: str, file: str = "site.yaml", environ: Mapping[str, str] | None = None) -> SiteConfig:
    """The same for a text; `file` is what messages call it, and paths are as they are written."""
    return SITE_YAML.parse(text, file, os.environ if environ is None else environ)


def _with_state_in(folder: Path, config: SiteConfig) -> SiteConfig:
    state_dir = os.path.abspath(folder / config.control.state_dir)
    return config.model_copy(update={"control": config.control.model_copy(update={"state_dir": state_dir})})


class UnknownEnvironment(dict[str, str]):
    """The variables of another process, for a check of everything else: each that is not known here is some text."""

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: object = None) -> str:  # noqa: ARG002
        return super().get(name, "set-elsewhere")


def _prepare(data: Any, folder: Path = Path()) -> tuple[Any, list[Finding]]:
    """The values with the secrets that stand in other files, and the mistakes between them."""
    if data is None:
        return None, [((), "the file is empty; it needs at least site, meter and inverters")]
    filled, found = with_secrets(data, folder)
    return filled, [*found, *(cross_checks(filled) if isinstance(filled, Mapping) else ())]


SITE_YAML: Final = FileKind("site.yaml", SiteConfig, prepare=_prepare, hint=meaning_of_key)
