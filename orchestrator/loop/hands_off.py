"""People take the plant out of control while it runs: who has been told so, and with which limit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import replace

from orchestrator.commands import InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.failsafe import hands_off_commands
from orchestrator.decide.memory import InverterMemory
from orchestrator.loop.in_force import stands_against_pause
from orchestrator.reason import because
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints.merge import OperatingEnvelope

SAME_LIMIT_WATTS: Final = 1.0
"""A limit that would be lower by less is not told again: what others may make moves a little all the time."""


class HandsOff:
    """The plant out of control by hand: who was told so, with which limit.

    A limit that only commanded batteries keep ends it for as long as it is asked for: nobody lifts it by a release.
    """

    def __init__(self) -> None:
        self.is_on = False
        self._told: dict[str, float | None] = {}

    def turn(self, released: bool, envelope: OperatingEnvelope) -> bool:
        """Look whether it is on from now on; True where that is new."""
        wanted = released and not stands_against_pause(envelope)
        if wanted == self.is_on:
            return False
        self.is_on = wanted
        self._told.clear()
        return True

    def forget(self, names: Collection[str]) -> None:
        """These must be told again: they are new, or have not taken it."""
        for name in names:
            self._told.pop(name, None)

    def due(
        self,
        config: SiteConfig,
        envelope: OperatingEnvelope,
        snapshot: SiteSnapshot,
        memories: Mapping[str, InverterMemory],
    ) -> list[InverterCommand]:
        """The last commands for those that were not told yet, that were away, or whose limit has become stricter."""
        self.forget(snapshot.away)
        commands = [
            each
            for each in hands_off_commands(config, envelope, snapshot, memories)
            if each.inverter not in self._told or _is_lower(each.ac_limit_watts, self._told[each.inverter])
        ]
        self._told.update({each.inverter: each.ac_limit_watts for each in commands})
        return [replace(each, reasons=(because("released_by_hand"),)) for each in commands]


def not_commanding(config: SiteConfig) -> SiteConfig:
    """The same site in shadow mode."""
    return config.model_copy(update={"control": config.control.model_copy(update={"enabled": False})})


def _is_lower(limit_watts: float | None, told_watts: float | None) -> bool:
    if limit_watts is None:
        return False
    return told_watts is None or limit_watts < told_watts - SAME_LIMIT_WATTS
