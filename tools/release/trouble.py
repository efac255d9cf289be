"""What keeps a release from being made, and how its programs are run."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class ReleaseError(Exception):
    """The release is not made; the text says what to mend."""


def run(command: Sequence[str | Path], folder: Path, environ: Mapping[str, str] | None = None) -> str:
    """What a program prints. Raises ReleaseError with all that it said where it fails."""
    done = subprocess.run(command, check=False, cwd=folder, env=environ, text=True, capture_output=True)
    if done.returncode != 0:
        words = " ".join(map(str, command))
        raise ReleaseError(f"{words} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
