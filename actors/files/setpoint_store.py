"""The last setpoint of each source, kept in `control.state_dir`: it holds after a power cut, broker or not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from actors.files.whole_file import NewestText
from orchestrator.setpoints.intake import KeptSource
from orchestrator.setpoints.stored import from_json, to_json

log = logging.getLogger(__name__)

FILE_NAME: Final = "setpoints.json"
RENEWED_AFTER: Final = timedelta(seconds=30)
"""A source that renews the same message makes one write in this time, so that little of its validity is lost."""
CLOSE_WITHIN_S: Final = 2.0


class SetpointStore:
    """What is kept of each source that was ever heard. Used by one actor at a time."""

    def __init__(self, directory: Path, file_name: str = FILE_NAME) -> None:
        self._path = directory / file_name
        self._file = NewestText(self._path)
        self._sources = self._load()

    @property
    def sources(self) -> Mapping[str, KeptSource]:
        """By name, as they were kept last."""
        return self._sources

    def keep(self, name: str, kept: KeptSource) -> None:
        """Have `kept` written soon, where it says more than what is kept already; returns at once."""
        former = self._sources.get(name)
        if former is not None and _says_the_same(former, kept):
            return
        self._sources[name] = kept
        self._file.put(to_json(self._sources))

    def close(self) -> None:
        """Write what still waits."""
        self._file.close(CLOSE_WITHIN_S)

    def _load(self) -> dict[str, KeptSource]:
        try:
            return from_json(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as trouble:
            log.warning("%s is not usable (%s): starting as if no source had ever been heard", self._path, trouble)
            return {}


def _says_the_same(former: KeptSource, kept: KeptSource) -> bool:
    same = (former.origin, former.message, former.superseded) == (kept.origin, kept.message, kept.superseded)
    return same and kept.received - former.received < RENEWED_AFTER
