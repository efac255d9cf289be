"""Small files that outlive a kill: one JSON file per inverter, below `control.state_dir`."""

from __future__ import annotations

import logging
from pathlib import Path

from actors.files.whole_file import replace_file
from orchestrator.devices.as_found import Found, from_json, to_json
from orchestrator.devices.flash_budget import FlashUse, flash_use_from_json, flash_use_to_json

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
        if found.is_empty:
            self._path(name).unlink(missing_ok=True)
        else:
            replace_file(self._path(name), to_json(found))

    def load_flash_use(self, name: str) -> FlashUse:
        """How often inverter `name` had its flash written lately; nothing where that is not known."""
        try:
            return flash_use_from_json(self._flash_path(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return FlashUse()
        except (OSError, ValueError) as trouble:
            log.warning("%s is not usable (%s): counting writes to flash anew", self._flash_path(name), trouble)
            return FlashUse()

    def save_flash_use(self, name: str, use: FlashUse) -> None:
        """Keep `use`. Raises OSError when it cannot be written."""
        replace_file(self._flash_path(name), flash_use_to_json(use))

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    def _flash_path(self, name: str) -> Path:
        return self._directory / f"{name}.flash.json"
