"""What Home Assistant was told, and energy, kept in `control.state_dir`: totals never fall back, whatever happens."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from actors.files.whole_file import NewestText
from orchestrator.telemetry.home_assistant.stored import Remembered, from_json, to_json

log = logging.getLogger(__name__)

FILE_NAME: Final = "home_assistant.json"
CLOSE_WITHIN_S: Final = 2.0


class HomeAssistantStore:
    """What is remembered, and what of it is safe on the disk. Used by one actor at a time."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME
        self._file = NewestText(self._path)
        self._put: tuple[str, Remembered] | None = None
        self._safe = self._load()

    @property
    def safe(self) -> Remembered:
        """What the disk has: only of this may others be told that it is counted."""
        if self._put is not None and self._file.written is self._put[0]:
            self._safe, self._put = self._put[1], None
        return self._safe

    @property
    def latest(self) -> Remembered:
        """What was handed over last, safe or not yet: a new user goes on from there."""
        safe = self.safe
        return safe if self._put is None else self._put[1]

    def put(self, remembered: Remembered) -> None:
        """Have it written soon; returns at once."""
        text = to_json(remembered)
        self._put = (text, remembered)
        self._file.put(text)

    def close(self) -> None:
        """Write what still waits."""
        self._file.close(CLOSE_WITHIN_S)

    def _load(self) -> Remembered:
        try:
            return from_json(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Remembered()
        except (OSError, ValueError) as trouble:
            log.warning("%s is not usable (%s): energy for Home Assistant begins at 0 again", self._path, trouble)
            return Remembered()
