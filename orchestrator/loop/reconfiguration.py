"""What the loop does when its configuration changes while it runs: whom it hands back, and what it goes on knowing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from orchestrator.commands import BatteryCommand, InverterCommand
from orchestrator.config.changes import Changes
from orchestrator.config.policy import limits_stay
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.failsafe import release_command
from orchestrator.decide.memory import ControlState
from orchestrator.loop.presence import Presence, expected
from orchestrator.reason import because


def hand_back_commands(
    former: SiteConfig, new: SiteConfig, changes: Changes, state: ControlState
) -> Iterator[InverterCommand]:
    """The last commands for what is not ours any more.

    An inverter is released as a whole: no AC limit, battery to itself. Where only the battery goes, the AC limit that
    was last commanded holds on, so that the next decision finds no gap.
    """
    for name in changes.handed_back:
        command = release_command(name)
        yield command if former.inverter(name).battery.control else replace(command, battery=None)
    for name in changes.freed_batteries:
        memory = state.inverters.get(name)
        yield InverterCommand(
            inverter=name,
            valid_for_s=new.control.revert_s,
            ac_limit_watts=memory.limit.watts if memory else None,
            ac_limit_reverts=not limits_stay(new),
            battery=BatteryCommand.release(),
            reasons=(because("battery_no_longer_ours"),),
        )


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
