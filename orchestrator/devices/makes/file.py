"""Reads the file of a make: a frozen `Profile`, or a `ConfigError` that names every mistake with file, line and key."""

from __future__ import annotations

from typing import Final

from orchestrator.devices.makes.checks import checks
from orchestrator.devices.makes.schema import Profile
from orchestrator.documents.problems import FileKind, UnknownKey
from orchestrator.documents.words import nearest


def parse_profile(text: str, file: str) -> Profile:
    """The profile in `text`; `file` is what messages call it. Raises ConfigError with all mistakes."""
    return PROFILE_YAML.parse(text, file, {})


def _nearest_key(unknown: UnknownKey) -> str:
    return nearest(unknown.key, unknown.known)


PROFILE_YAML: Final = FileKind(
    "profile",
    Profile,
    check=checks,
    hint=_nearest_key,
    names="it takes a to z, 0 to 9 and '_', and begins with a letter",
)
