"""Where the version stands: once in the code, and in the files that name a released image."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tools.release.trouble import ReleaseError

VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
PLACES: Final = {
    "orchestrator/__init__.py": r'^__version__ = "(.+)"$',
    "deploy/kubernetes/base/stateful-set.yaml": r"^ *image: orchestrator:(.+)$",
    "deploy/home-assistant/orchestrator/Dockerfile": r"^ARG IMAGE=orchestrator:(.+)$",
    "deploy/home-assistant/orchestrator/config.yaml": r'^version: "(.+)"$',
}
"""Each file with the line that has the version; the first is what the others follow."""


def versions(root: Path) -> dict[str, str]:
    """The version that each of `PLACES` says. Raises ReleaseError where one has no such line, or several."""
    return {place: _only(root / place, pattern)[1] for place, pattern in PLACES.items()}


def set_version(root: Path, version: str) -> None:
    """Write `version`, such as 0.2.0, into all places. Raises ReleaseError."""
    if VERSION.fullmatch(version) is None:
        raise ReleaseError(f"{version!r} is no version: say three numbers such as 0.2.0")
    for place, pattern in PLACES.items():
        path = root / place
        found = _only(path, pattern)
        text = path.read_text()
        path.write_text(text[: found.start(1)] + version + text[found.end(1) :])


def _only(path: Path, pattern: str) -> re.Match[str]:
    found = list(re.finditer(pattern, path.read_text(), re.MULTILINE))
    if len(found) != 1:
        raise ReleaseError(f"{path}: {len(found)} lines are like {pattern}, and not one")
    return found[0]
