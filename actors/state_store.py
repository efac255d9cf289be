"""Small files that outlive a kill: one JSON file per inverter, below `control.state_dir`."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from orchestrator.found import Found, from_json, to_json

log = logging.getLogger(__name__)


class StateStore:
    """Keeps what was found at each inverter. The directory is made by the first `save`, not before.

    A file is replaced as a whole (written beside, synced, renamed), so that a kill leaves the old or the new one.
    Each name is used by one actor only.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "inverters"

    def load(self, name: str) -> Found:
        """What was kept of inverter `name`. A missing file is nothing found; so is a broken one, which is logged."""
        path = self._path(name)
        try:
            return from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Found()
        except (OSError, ValueError) as trouble:
            log.warning("%s is not usable (%s): starting as if nothing had been found", path, trouble)
            return Found()

    def save(self, name: str, found: Found) -> None:
        """Keep `found`; an empty record removes the file. Raises OSError when it cannot be written."""
        path = self._path(name)
        if found.is_empty:
            path.unlink(missing_ok=True)
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            file.write(to_json(found))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        self._sync_directory()

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"
