"""Prints docs/licences.md: every package of constraints.txt with its licence, as the package itself says it.

.venv/bin/python .ci/licences.py > docs/licences.md
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import metadata
from pathlib import Path

from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[1]
SAME = {
    "Apache": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache Software License, Version 2.0": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
NOT_SAID = {"axe-playwright-python": "MIT AND MPL-2.0"}
"""What a package says in its files only: here MIT, and MPL-2.0 of the axe-core that it brings."""
HEAD = """# Licences

The orchestrator is under the Apache License 2.0. It is installed with the packages below; those that are not marked are
used for development only. `.ci/licences.py` writes this page from what the packages say themselves; a test compares.

| package | version | installed with | licence |
|---|---|---|---|"""

VENDOR = REPOSITORY / "orchestrator/page/vendor"
SHIPPED = """
Shipped with the page, as its makers publish it, with the text of its licence beside it:

| library | version | where | licence |
|---|---|---|---|
| uPlot | {version} | `orchestrator/page/vendor` | MIT |"""


def pinned() -> dict[str, str]:
    """Every package of constraints.txt with its version."""
    text = (REPOSITORY / "constraints.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))


def licence(package: str) -> str:
    """The licence of an installed package. Raises PackageNotFoundError."""
    if package in NOT_SAID:
        return NOT_SAID[package]
    said = metadata(package)
    if said.get("License-Expression"):
        return str(said["License-Expression"])
    prefix = "License :: OSI Approved :: "
    classified = [str(each).removeprefix(prefix) for each in said.get_all("Classifier") or [] if prefix in str(each)]
    found = classified[0] if classified else str(said.get("License") or "unknown").splitlines()[0]
    return SAME.get(found, found)


def requirements(extra: str | None) -> set[str]:
    """The packages that setup.cfg asks for, always or with an extra, and all that they need in turn."""
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    section, key = ("options", "install_requires") if extra is None else ("options.extras_require", extra)
    lines = [line for line in setup[section][key].splitlines() if line and not line.startswith("#")]
    found: set[tuple[str, str]] = set()
    _collect(lines, found)
    return {name for name, _ in found}


def _collect(lines: Iterable[str], found: set[tuple[str, str]]) -> None:
    for line in lines:
        wanted = Requirement(line)
        name = normal(wanted.name)
        for extra in ("", *wanted.extras):
            if name in _names() and (name, extra) not in found:
                found.add((name, extra))
                _collect(_needs(_names()[name], extra), found)


def _needs(package: str, extra: str) -> Iterator[str]:
    """What a package asks for with this extra ("": always), on whatever system."""
    for line in metadata(package).get_all("Requires-Dist") or []:
        text, _, marker = str(line).partition(";")
        named = re.search(r"extra == ['\"](.+?)['\"]", marker)
        if (named[1] if named else "") == extra:
            yield text


def normal(name: str) -> str:
    """A name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _names() -> dict[str, str]:
    return {normal(name): name for name in pinned()}


def page() -> str:
    """The whole page."""
    plain = requirements(None)
    extras = {f"`[{extra}]`": requirements(extra) for extra in ("demo", "notify", "csip-aus")}
    rows = []
    for name, version in sorted(pinned().items(), key=lambda entry: normal(entry[0])):
        use = (
            "always"
            if normal(name) in plain
            else ", ".join(extra for extra, needs in extras.items() if normal(name) in needs)
        )
        rows.append(f"| {name} | {version} | {use} | {licence(name)} |")
    return "\n".join([HEAD, *rows, SHIPPED.format(version=_version_of_uplot()), ""])


def _version_of_uplot() -> str:
    """The version that stands in the first line of its file."""
    found = re.search(r"\(v([\d.]+)\)", (VENDOR / "uPlot.iife.min.js").read_text()[:200])
    return found[1] if found else "unknown"


if __name__ == "__main__":
    print(page(), end="")
