"""What the loop does when its configuration changes while it runs: whom it hands back, and what it goes on knowing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from orchestrator.commands import BatteryCommand, InverterCommand
from orchestrator.config.changes import Changes
from orchestrator.config.policy import limits_stay
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.failsafe import release_command
from orchestrator.decide.memory import ControlState
from orchestrator.loop.presence import Presence, expected
from orchestrator.reason import because

AGAIN_AFTER_S: Final = 3.0
"""A last command that was not taken is told again after this time, then after twice of it, and so on."""
AGAIN_AT_MOST_S: Final = 30.0
"""The longest time between two tries."""


class HandBacks:
    """What is not ours any more, until its device has taken the last command: it is told again, ever more rarely.

    An inverter is released as a whole: no AC limit, battery to itself. Where only the battery goes, the AC limit that
    was last commanded holds on, so that the next decision finds no gap.
    """

    def __init__(self) -> None:
        self._untaken: dict[str, _Untaken] = {}

    def begin(
        self, former: SiteConfig, new: SiteConfig, changes: Changes, state: ControlState, now_s: float
    ) -> list[InverterCommand]:
        """The last commands for what `changes` takes from us; `state` is the memory from before them."""
        theirs = {each.name: each for each in new.inverters}
        self._untaken = {
            name: each
            for name, each in self._untaken.items()
            if name in theirs and not (theirs[name].battery.control if each.is_battery_only else theirs[name].control)
        }
        for name in changes.handed_back:
            command = release_command(name)
            if not former.inverter(name).battery.control:
                command = replace(command, battery=None)
            self._untaken[name] = _Untaken(command, is_battery_only=False)
        for name in changes.freed_batteries:
            command = InverterCommand(
                inverter=name,
                valid_for_s=new.control.revert_s,
                ac_limit_watts=None,
                ac_limit_reverts=not limits_stay(new),
                battery=BatteryCommand.release(),
                reasons=(because("battery_no_longer_ours"),),
            )
            self._untaken[name] = _Untaken(command, is_battery_only=True)
        last = [self._told(name, state, now_s) for name in (*changes.handed_back, *changes.freed_batteries)]
        for name in changes.removed:
            self._untaken.pop(name, None)  # its actor ends: nobody is there to be told again
        return last

    def taken(self, name: str) -> None:
        """A device has taken its last command."""
        self._untaken.pop(name, None)

    def due(self, state: ControlState, now_s: float) -> list[InverterCommand]:
        """Once more, for those that have not taken it; a battery's alone only where the AC limit to keep is known."""
        return [
            self._told(name, state, now_s)
            for name, each in self._untaken.items()
            if now_s >= each.again_s and (name in state.inverters or not each.is_battery_only)
        ]

    def _told(self, name: str, state: ControlState, now_s: float) -> InverterCommand:
        untaken = self._untaken[name]
        untaken.again_s = now_s + untaken.wait_s
        untaken.wait_s = min(2 * untaken.wait_s, AGAIN_AT_MOST_S)
        memory = state.inverters.get(name)
        if not untaken.is_battery_only or memory is None:
            return untaken.command
        return replace(untaken.command, ac_limit_watts=memory.limit.watts)


@dataclass
class _Untaken:
    command: InverterCommand
    is_battery_only: bool
    again_s: float = 0.0
    wait_s: float = AGAIN_AFTER_S


def presences_after(former: Mapping[str, Presence], config: SiteConfig, changes: Changes) -> dict[str, Presence]:
    """Who is expected to report from now on. The others' next decisions do not wait for those that are started now."""
    presences: dict[str, Presence] = {}
    for inverter in config.inverters:
        known = former.get(inverter.name)
        new = expected(inverter, config.control.interval_s, late=True)
        if known is None or inverter.name in changes.added:
            presences[inverter.name] = new
        else:
            late = known.late or inverter.name in changes.replaced
            presences[inverter.name] = replace(known, patience_s=new.patience_s, seldom_s=new.seldom_s, late=late)
    return presences


def state_after(state: ControlState, changes: Changes) -> ControlState:
    """The memory of the loop without that of inverters that are gone or handed back."""
    gone = {*changes.removed, *changes.handed_back}
    kept = {name: memory for name, memory in state.inverters.items() if name not in gone}
    return replace(state, inverters=MappingProxyType(kept))
