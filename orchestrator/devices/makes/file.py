"""Reads the file of a make: a frozen `Profile`, or a `ConfigError` that names every mistake with file, line and key."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from orchestrator.devices.makes.checks import checks
from orchestrator.devices.makes.schema import Profile
from orchestrator.documents.problems import FileKind, UnknownKey
from orchestrator.documents.words import nearest
from orchestrator.documents.yaml_text import Finding, read_document

_DELIVERED: Final = files("orchestrator.devices.makes") / "inverters"


def parse_profile(text: str, file: str) -> Profile:
    """The profile in `text`; `file` is what messages call it. Raises ConfigError with all mistakes."""
    return PROFILE_YAML.parse(text, file, {})


def _with_what_it_is_like(data: Any) -> tuple[Any, list[Finding]]:
    """The keys of the profile on top of those of the one that it is `like`; an empty key takes away."""
    like = data.get("like") if isinstance(data, dict) else None
    if not isinstance(like, str):
        return data, []
    texts = {file.name.removesuffix(".yaml"): file for file in _DELIVERED.iterdir() if file.name.endswith(".yaml")}
    makes = sorted(texts.keys() - {data.get("name")})
    if like not in makes:
        return data, [(("like",), f"{like!r} is no make that is delivered; {nearest(like, makes)}")]
    base = read_document(texts[like].read_text(encoding="utf-8"), {}).data
    if isinstance(base, dict) and "like" in base:
        return data, [(("like",), f"{like!r} is like another one itself; say {base['like']!r}")]
    return _on_top(base, data), []


def _on_top(base: Any, own: Any) -> Any:
    """Mappings key by key; everything else in place of what was there."""
    if not (isinstance(base, dict) and isinstance(own, dict)):
        return own
    merged = base | {key: _on_top(base.get(key), value) for key, value in own.items()}
    return {key: value for key, value in merged.items() if value is not None}


def _nearest_key(unknown: UnknownKey) -> str:
    return nearest(unknown.key, unknown.known)


PROFILE_YAML: Final = FileKind(
    "profile",
    Profile,
    prepare=_with_what_it_is_like,
    check=checks,
    hint=_nearest_key,
    names="it takes a to z, 0 to 9 and '_', and begins with a letter",
)
