"""The proven sign of the meter, kept in `control.state_dir`: the next start need not find it out above the limits."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from actors.files.whole_file import NewestText
from orchestrator.config.sections import AnyMeterConfig
from orchestrator.loop.kept import sign_from_json, sign_to_json
from orchestrator.loop.meter_sign import MeterSign

log = logging.getLogger(__name__)

FILE_NAME: Final = "meter_sign.json"
CLOSE_WITHIN_S: Final = 2.0


class SignStore:
    """What is proven of one meter. Used by one actor at a time."""

    def __init__(self, directory: Path, meter: AnyMeterConfig) -> None:
        self._path = directory / FILE_NAME
        self._file = NewestText(self._path)
        self._text = self._read()
        self.sign = self._load(meter)
        """What was proven of `meter` when the store was opened; None: nothing."""

    def keep(self, meter: AnyMeterConfig, sign: MeterSign | None) -> None:
        """Have what is proven written soon, where it is not what is kept already; returns at once."""
        text = sign_to_json(meter, sign)
        if text == self._text or (self._text is None and not (sign and sign.is_proven)):
            return
        self._text = text
        self._file.put(text)

    def close(self) -> None:
        """Write what still waits."""
        self._file.close(CLOSE_WITHIN_S)

    def _read(self) -> str | None:
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as trouble:
            log.warning("%s cannot be read (%s): the meter has to prove its sign anew", self._path, trouble)
            return None

    def _load(self, meter: AnyMeterConfig) -> MeterSign | None:
        try:
            return None if self._text is None else sign_from_json(self._text, meter)
        except ValueError as trouble:
            log.warning("%s is not usable (%s): the meter has to prove its sign anew", self._path, trouble)
            return None
