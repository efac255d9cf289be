"""The ledger of compliance: the only actor that touches its file. Trouble with the file costs no cycle."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from actors.actor import Actor, Surroundings
from actors.address import Recipient
from actors.files.ledger_file import FILE_NAME, LedgerFile
from actors.messages import ExcessEnded, Tick
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.ledger.excess import RULES_S, Excess, LedgerState, Outcome, observe, unseen

log = logging.getLogger(__name__)

PRUNE_EVERY_S: Final = 3600.0
OPEN_AGAIN_S: Final = 10.0
MOST_WAITING: Final = 1000
"""So many excesses wait in memory for a file that cannot be written; beyond it the oldest are lost."""


class LedgerActor(Actor):
    """Takes CycleResult. Tells `listeners` ExcessEnded once for each excess that is over."""

    def __init__(self, surroundings: Surroundings, config: SiteConfig, listeners: Sequence[Recipient]) -> None:
        super().__init__("ledger", surroundings)
        self._config = config
        self._listeners = listeners
        self._path = Path(config.control.state_dir) / FILE_NAME
        self._state = LedgerState()
        self._file: LedgerFile | None = None
        self._waiting: dict[tuple[str, datetime], Excess] = {}
        self._opens_again_at_s = self._prunes_at_s = float("-inf")
        self._told = False

    def receive(self, message: Any) -> None:
        """The first Tick opens the file."""
        match message:
            case Tick():
                self._write()
            case CycleResult():
                self._observe(message)

    def close(self) -> None:
        """Write what is still open as `unseen`, and let go of the file."""
        self._keep(unseen(self._state))
        self._write()
        self._let_go()

    def _observe(self, result: CycleResult) -> None:
        tolerance_percent = self._config.ledger.tolerance_percent
        self._state, told = observe(self._state, result, self.clock.wall(), tolerance_percent)
        self._keep(told)
        for excess in told:
            if excess.outcome is not Outcome.OPEN:
                self._announce(excess)
        self._write()

    def _announce(self, excess: Excess) -> None:
        if excess.duration_s > RULES_S[0]:
            log.warning(
                "%s was above its limit of %.0f W (%s) for %.0f s: at most by %.0f W, %.1f Wh in all",
                *(excess.limit, excess.limit_watts, excess.source, excess.duration_s),
                *(excess.peak_watts, excess.watt_hours),
            )
        for listener in self._listeners:
            listener.tell(ExcessEnded(excess))

    def _keep(self, excesses: Sequence[Excess]) -> None:
        for excess in excesses:
            self._waiting[excess.limit, excess.began_at] = excess
        while len(self._waiting) > MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]

    def _write(self) -> None:
        """Put what waits on the disk, if the file is usable at this moment."""
        try:
            file = self._opened()
            if file is None:
                return
            if self._waiting:
                file.record(list(self._waiting.values()))
                self._waiting.clear()
            self._prune_if_due(file)
            self._told = False
        except (OSError, sqlite3.Error) as trouble:
            self._opens_again_at_s = self.clock.now_s() + OPEN_AGAIN_S
            self._let_go()
            if not self._told:
                log.error("the ledger %s cannot be written (%s): it is tried again", self._path, trouble)
            self._told = True

    def _opened(self) -> LedgerFile | None:
        """The file; None while it is not to be tried again yet, or while there is none and nothing to write."""
        may_open = self._file is None and self.clock.now_s() >= self._opens_again_at_s
        if may_open and (self._waiting or self._path.exists()):
            self._file = LedgerFile.open(self._path, self.clock.wall())
        return self._file

    def _prune_if_due(self, file: LedgerFile) -> None:
        now_s = self.clock.now_s()
        if now_s >= self._prunes_at_s:
            file.prune(self.clock.wall() - timedelta(days=self._config.ledger.retention_days))
            self._prunes_at_s = now_s + PRUNE_EVERY_S

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
