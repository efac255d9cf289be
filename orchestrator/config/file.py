"""Reads a site.yaml: a frozen `SiteConfig`, or a `ConfigError` that names every mistake at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from orchestrator.config.checks import cross_checks
from orchestrator.config.hints import meaning_of_key
from orchestrator.config.secrets import with_secrets
from orchestrator.config.sections import SiteConfig
from orchestrator.devices.makes.choice import line_settings, link_keys, profile_of
from orchestrator.devices.makes.file import PROFILE_YAML
from orchestrator.devices.makes.schema import Profile
from orchestrator.documents.problems import FileKind
from orchestrator.documents.words import nearest
from orchestrator.documents.yaml_text import Finding, KeyPath
from orchestrator.errors import ConfigError


def load_config(path: str | Path, environ: Mapping[str, str] | None = None) -> SiteConfig:
    """Read and check the file at `path`. Texts may name variables of `environ` (default: the process's) as `${NAME}`.

    `control.state_dir`, each `profile` and the files that are named in it come out absolute: they are relative to the
    folder of the file, wherever one stands. Raises ConfigError with all mistakes.
    """
    environ, folder = os.environ if environ is None else environ, Path(path).absolute().parent
    kind = replace(SITE_YAML, prepare=partial(_prepare, folder=folder))
    return _with_state_in(folder, kind.load(Path(path), environ))


def parse_config(text: str, file: str = "site.yaml", environ: Mapping[str, str] | None = None) -> SiteConfig:
    """The same for a text; `file` is what messages call it, and `control.state_dir` is as it is written.

    Other paths are relative to where one stands.
    """
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
    """The values with what stands in other files, secrets and profiles, and the mistakes between them."""
    if data is None:
        return None, [((), "the file is empty; it needs at least site, meter and inverters")]
    filled, found = with_secrets(data, folder)
    if not isinstance(filled, Mapping):
        return filled, found
    filled = _with_profiles(filled, folder, found)
    return filled, [*found, *cross_checks(filled)]


def _with_profiles(data: Mapping[str, Any], folder: Path, found: list[Finding]) -> dict[str, Any]:
    """The values with what the profiles of the site's own folder need of the connection."""
    filled = dict(data)
    if isinstance(data.get("meter"), Mapping):
        filled["meter"] = _with_profile(data["meter"], ("meter",), folder, found)
    if isinstance(data.get("inverters"), list):
        filled["inverters"] = [
            _with_profile(entry, ("inverters", index), folder, found) if isinstance(entry, Mapping) else entry
            for index, entry in enumerate(data["inverters"])
        ]
    return filled


def _with_profile(entry: Mapping[str, Any], path: KeyPath, folder: Path, found: list[Finding]) -> dict[str, Any]:
    name, driver, profile = entry.get("profile"), entry.get("driver"), None
    if isinstance(name, str) and name:
        file = folder / name
        entry = {**entry, "profile": str(file)}
        if driver is not None:
            found.append(((*path, "profile"), "takes 'driver' or 'profile', and not both"))
        try:
            profile = PROFILE_YAML.load(file, {})
            entry = {**link_keys(profile, of_meter=path == ("meter",)), **entry}
            line = entry.get("serial")
            if isinstance(line, Mapping):
                entry["serial"] = {**line_settings(profile.link), **line}
        except ConfigError as error:
            found.append(((*path, "profile"), "; ".join(map(str, str(error).splitlines()))))
    else:
        profile = profile_of(driver)
    found += _unknown_units(entry, path, profile)
    return dict(entry)


def _unknown_units(entry: Mapping[str, Any], path: KeyPath, profile: Profile | None) -> Iterator[Finding]:
    units = entry.get("units")
    known = () if profile is None else tuple(unit.name for unit in profile.units)
    for name in units if isinstance(units, Mapping) else ():
        if name not in known:
            hint = nearest(name, known) if known else "its make has none"
            yield (*path, "units", name), f"{name!r} is none of the further units; {hint}"


SITE_YAML: Final = FileKind("site.yaml", SiteConfig, prepare=_prepare, hint=meaning_of_key)
