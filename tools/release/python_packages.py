"""Wheel and sdist: built, checked, and tried where nothing of the source tree is."""

from __future__ import annotations

import os
import venv
from pathlib import Path
from typing import Final

from tools.release.trouble import ReleaseError, run

ROOT: Final = Path(__file__).parents[2]
TOOLS: Final = ROOT / ".venv/release"
"""An environment of its own: build, twine and pipx, and what they need, are none of ours."""
REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")
_STAMP: Final = "installed.txt"


def tool(name: str) -> Path:
    """The path of a program for releases; installed when it is first asked for, and when its version has changed."""
    stamp = TOOLS / _STAMP
    if not stamp.exists() or stamp.read_text() != REQUIREMENTS.read_text():
        venv.create(TOOLS, with_pip=True, clear=True)
        run([TOOLS / "bin/pip", "install", "--quiet", "--requirement", REQUIREMENTS], ROOT)
        stamp.write_text(REQUIREMENTS.read_text())
    return TOOLS / "bin" / name


def build(source: Path, out: Path, moment: int) -> tuple[Path, Path]:
    """The wheel and the sdist of `source`, as of `moment` (a Unix time, so that a second build is the same)."""
    environ = {**os.environ, "SOURCE_DATE_EPOCH": str(moment)}
    run([tool("python"), "-m", "build", "--no-isolation", "--outdir", out, source], source, environ)
    wheel, sdist = _only(out, "*.whl"), _only(out, "*.tar.gz")
    run([tool("twine"), "check", "--strict", wheel, sdist], out)
    return wheel, sdist


def try_wheel(wheel: Path, folder: Path, site: Path, python: str) -> str:
    """Install into an empty environment in `folder`, and check a site there; the version that it says.

    Raises ReleaseError.
    """
    run([python, "-m", "venv", folder / "empty"], folder)
    programs = folder / "empty/bin"
    run([programs / "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel], folder)
    run([programs / "orchestrator", "check", site], folder)
    return run([programs / "orchestrator", "--version"], folder).split()[-1]


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ReleaseError(f"{folder} has {len(found)} of {pattern}, and not one")
    return found[0]
