"""Prices that come as a file: looked at by the main thread once a second, read when the file is another one."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from actors.clock import Clock, RealClock
from actors.messages import SetpointReceived, SetpointRefused
from orchestrator.config.sections import SiteConfig
from orchestrator.config.sources.prices import PriceFile
from orchestrator.setpoints.intake import Arrival, Intake, Outcome
from orchestrator.setpoints.payload import MAX_PAYLOAD_BYTES

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0

Version = tuple[int, int, int]
"""What is another where a file was written or replaced: inode, size, time of change in ns."""


class _PricesOf:
    """One file: what was read of it last."""

    def __init__(self, entry: PriceFile) -> None:
        self.entry = entry
        self.intake = Intake(entry.name, None, language=entry.language)
        self.version: Version | None = None
        self.trouble: str | None = None


class PriceFiles:
    """Tells `tell` SetpointReceived and SetpointRefused. It costs nothing where no file is configured."""

    def __init__(self, config: SiteConfig, tell: Callable[[Any], None], clock: Clock | None = None) -> None:
        self._clock = clock or RealClock()
        self._tell = tell
        self._looks_at_s = self._clock.now_s()
        self._files: tuple[_PricesOf, ...] = ()
        self.configure(config)

    def configure(self, config: SiteConfig) -> None:
        """Read those of `config` from now on, each anew where anything of its entry is another."""
        former = {each.entry: each for each in self._files}
        self._files = tuple(former.get(entry) or _PricesOf(entry) for entry in config.setpoints.price_files)
        self._looks_at_s = self._clock.now_s()

    def look(self) -> None:
        """Read what has changed, if it is time to look. Never raises for what is wrong with a file."""
        now_s = self._clock.now_s()
        if not self._files or now_s < self._looks_at_s:
            return
        self._looks_at_s = now_s + LOOK_EVERY_S
        for each in self._files:
            self._look_at(each, now_s)

    def _look_at(self, prices: _PricesOf, now_s: float) -> None:
        wall = self._clock.wall()
        try:
            read = _read_if_changed(Path(prices.entry.prices_file), prices.version)
        except OSError as error:
            self._say(prices, f"{prices.entry.prices_file} cannot be read: {error.strerror or error}")
            return
        if read is None:
            outcome = prices.intake.reconsider(now_s, wall)
        else:
            prices.version, payload = read
            arrival = Arrival(payload or b"{}", redelivered=False, at_s=now_s, wall=wall)
            outcome = prices.intake.take([arrival])
            prices.trouble = None
        self._act_on(prices, outcome)

    def _act_on(self, prices: _PricesOf, outcome: Outcome) -> None:
        if outcome.setpoint is not None:
            self._tell(SetpointReceived(outcome.setpoint))
        if outcome.reasons:
            self._say(prices, outcome.reasons[0])
            self._tell(SetpointRefused(prices.entry.name, outcome.reasons[0]))

    def _say(self, prices: _PricesOf, trouble: str) -> None:
        """Once for each trouble."""
        if trouble != prices.trouble:
            prices.trouble = trouble
            log.warning("prices of %s: %s; what was read before stays", prices.entry.name, trouble)


def _read_if_changed(path: Path, former: Version | None) -> tuple[Version, bytes] | None:
    """The version and content of the file; None where it is still the `former` one. Raises OSError."""
    found = path.stat()
    version = (found.st_ino, found.st_size, found.st_mtime_ns)
    if version == former:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no file")
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        return version, file.read(MAX_PAYLOAD_BYTES + 1)
