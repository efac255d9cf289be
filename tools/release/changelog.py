"""CHANGELOG.md at a release: "Unreleased" becomes the version with its day, and its section the notes."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from tools.release.trouble import ReleaseError

UNRELEASED: Final = "## Unreleased\n"
_HEADING: Final = re.compile(r"^## (?P<version>\d+\.\d+\.\d+) - (?P<day>\d{4}-\d\d-\d\d)$", re.MULTILINE)


def closed(text: str, version: str, day: date) -> str:
    """The changelog with a heading for `version`, and an empty "Unreleased" above it.

    Where the version has its heading already, it is taken as it is. Raises ReleaseError where there is nothing to tell
    of, or something that belongs to no version.
    """
    if text.count(UNRELEASED) != 1:
        raise ReleaseError('CHANGELOG.md needs one line "## Unreleased"')
    if version not in released(text):
        text = text.replace(UNRELEASED, f"{UNRELEASED}\n## {version} - {day.isoformat()}\n")
    elif _between(text, UNRELEASED):
        raise ReleaseError(f"CHANGELOG.md has {version}, and something under Unreleased that it does not tell of")
    if not notes(text, version):
        raise ReleaseError(f"CHANGELOG.md says nothing of {version}")
    if next(iter(released(text))) != version:
        raise ReleaseError(f"CHANGELOG.md: {version} does not stand above the older versions")
    return text


def released(text: str) -> dict[str, date]:
    """The versions that have a heading, as they stand there, each with its day."""
    return {found["version"]: date.fromisoformat(found["day"]) for found in _HEADING.finditer(text)}


def notes(text: str, version: str) -> str:
    """What the changelog says of a version, without its heading."""
    for found in _HEADING.finditer(text):
        if found["version"] == version:
            return _between(text, found[0])
    return ""


def _between(text: str, heading: str) -> str:
    """What stands from a heading to the next of its kind."""
    return text.partition(heading)[2].partition("\n## ")[0].strip()
