"""SIGHUP: reads site.yaml again, and has the running plant take it, or says why not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from actors.files.process import Answer, answer
from actors.system import System
from orchestrator.config.changes import Changes
from orchestrator.config.file import load_config
from orchestrator.config.sections import SiteConfig
from orchestrator.config.warnings import warnings
from orchestrator.errors import OrchestratorError
from orchestrator.reason import Reason, because
from orchestrator.reason.changes import say_change

log = logging.getLogger(__name__)

Check = Callable[[SiteConfig], None]
"""Raises an OrchestratorError for a configuration that this run must not take."""


class Reloader:
    """For the main thread. `taken` are told the new configuration once the plant runs on it, `refused` are told the
    one that holds on where it does not.
    """

    def __init__(
        self,
        site_file: str,
        system: System,
        *,
        checks: Sequence[Check] = (),
        taken: Sequence[Callable[[SiteConfig], None]] = (),
        refused: Sequence[Callable[[SiteConfig], None]] = (),
    ) -> None:
        self._site_file = site_file
        self._system = system
        self._checks = checks
        self._taken = taken
        self._refused = refused
        self._state_dir = Path(system.config.control.state_dir)

    def reload(self) -> Answer:
        """What came of it. Never raises for what is wrong with the file: the plant runs on as before."""
        try:
            config, changes = self._take()
        except OrchestratorError as refusal:
            for tell in self._refused:
                tell(self._system.config)
            lines = str(refusal).splitlines()
            for line in lines:
                log.error("%s", line)
            log.error("%s is refused: the plant runs on with the former one", self._site_file)
            return self._answer(accepted=False, lines=lines)
        for warning in warnings(config):
            log.warning("%s", warning)
        why = tuple(because("reloaded", what=each) for each in changes.all() or (because("nothing_changed"),))
        lines = [say_change(each) for each in why]
        for line in lines:
            log.info("%s", line)
        return self._answer(accepted=True, lines=lines, why=why)

    def _answer(self, *, accepted: bool, lines: Sequence[str], why: tuple[Reason, ...] = ()) -> Answer:
        answer(self._state_dir, accepted, lines)
        return Answer(accepted, tuple(lines), why)

    def _take(self) -> tuple[SiteConfig, Changes]:
        config = load_config(self._site_file)
        for check in self._checks:
            check(config)
        changes = self._system.reload(config)
        for tell in self._taken:
            tell(config)
        return config, changes
