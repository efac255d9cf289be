"""What can be had with perfect knowledge of the present, with the same devices. In the place of `control.step`.

It sees light, load and what batteries can do as they are, and says once a cycle where each inverter is to settle. Its
commands take as long to arrive as any, and devices follow them as slowly; nothing is foreseen. So what it loses against
`measuring.ideal` nobody saves who learns of a change once it has happened. Without a meter, or with one that it is told
lies, it keeps the limit of the failsafe, stores what that refuses from own PV, and discharges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import fsum, inf

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import InverterSimulation
from orchestrator.decide.allocation.spread import share_by_weight
from orchestrator.decide.failsafe import safe_room_watts
from orchestrator.decide.memory import ControlState
from orchestrator.decide.records import CycleResult
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope
from orchestrator.simulation.measuring.ideal import Part, parts_of, stored_watts
from orchestrator.simulation.physics import to_dc
from orchestrator.simulation.site import VirtualSite


class _Goal(Struct, frozen=True):
    """Where one inverter is to settle, in W: AC power of PV and battery (>= 0), with `light_watts` on its PV.

    `stored_watts` is the battery at the DC bus, charging +; `drawn_watts` (>= 0) of AC are part of it.
    """

    settings: InverterSimulation
    part: Part
    light_watts: float
    ac_watts: float
    stored_watts: float = 0.0
    drawn_watts: float = 0.0
    limited: bool = False

    def making(self, ac_watts: float, drawn_watts: float = 0.0) -> _Goal:
        """The same inverter with so much AC power; its battery makes up for the difference to the light."""
        stored = self.light_watts - to_dc(self.settings, ac_watts) - to_dc(self.settings, -drawn_watts)
        return replace(self, ac_watts=ac_watts, stored_watts=stored, drawn_watts=drawn_watts)


class PerfectKnowledge:
    """A controller that looks at `site`, which is handed in once a loop has made it."""

    site: VirtualSite

    def __init__(self) -> None:
        self.meter_lies: Callable[[], bool] = bool
        """Whether the meter is known to lie in a way that nobody can turn; to be replaced by who knows."""

    def __call__(
        self, config: SiteConfig, state: ControlState, snapshot: SiteSnapshot, envelope: OperatingEnvelope, _now: float
    ) -> CycleResult:
        """A cycle in which each inverter is told where to settle."""
        wanted = envelope.fields
        goals = self._goals([sample.name for sample in snapshot.inverters], wanted)
        if snapshot.meter is None or self.meter_lies():
            goals = _without_meter(goals, safe_room_watts(config, wanted))
        else:
            goals = _with_meter(goals, self.site.load_at(self.site.now_s), wanted)
        commands = tuple(_command(name, goal, float(config.control.revert_s)) for name, goal in goals.items())
        return CycleResult(snapshot, envelope, None, commands, state=state)

    def _goals(self, names: Sequence[str], wanted: SetpointFields) -> dict[str, _Goal]:
        """All of the light goes to AC, and batteries rest."""
        inverters = [self.site.inverters[name] for name in names]
        lights = [self.site.pv_available_at(name, self.site.now_s) for name in names]
        states = [
            replace(inverter.state, pv_available_watts=light) for inverter, light in zip(inverters, lights, strict=True)
        ]
        parts = parts_of([inverter.settings for inverter in inverters], states, wanted)
        return {
            inverter.name: _Goal(inverter.settings, part, light, part.most_ac)
            for inverter, part, light in zip(inverters, parts, lights, strict=True)
        }


def _with_meter(goals: Mapping[str, _Goal], load_watts: float, wanted: SetpointFields) -> dict[str, _Goal]:
    made_watts = fsum(goal.ac_watts for goal in goals.values())
    generation = inf if wanted.generation_limit_watts is None else wanted.generation_limit_watts
    surplus = made_watts - load_watts
    if surplus < 0 and made_watts <= generation:
        return _discharging(goals, min(-surplus, generation - made_watts))
    export_limit = inf if wanted.export_limit_watts is None else wanted.export_limit_watts
    absorbed = fsum(g.part.most_ac - g.part.least_ac + g.part.drawn for g in goals.values())
    charging = _charging(goals, stored_watts(wanted, export_limit, surplus, absorbed, 0.0))
    drawn = fsum(goal.drawn_watts for goal in charging.values())
    return _within(charging, min(load_watts + export_limit + drawn, generation))


def _without_meter(goals: Mapping[str, _Goal], room_watts: float | None) -> dict[str, _Goal]:
    """What is safe at zero load: own PV is stored, and what is left has the room."""
    if room_watts is None:
        return dict(goals)
    return _within({name: g.making(g.part.least_ac) for name, g in goals.items()}, room_watts)


def _discharging(goals: Mapping[str, _Goal], deficit_watts: float) -> dict[str, _Goal]:
    given = _shared(deficit_watts, {name: goal.part.discharged for name, goal in goals.items()})
    return {name: g.making(g.ac_watts + given[name]) if given[name] else g for name, g in goals.items()}


def _charging(goals: Mapping[str, _Goal], watts: float) -> dict[str, _Goal]:
    """From own PV first, then from AC."""
    kept = _shared(watts, {name: g.part.most_ac - g.part.least_ac for name, g in goals.items()})
    drawn = _shared(max(watts - fsum(kept.values()), 0.0), {name: g.part.drawn for name, g in goals.items()})
    return {name: g.making(g.ac_watts - kept[name], drawn[name]) for name, g in goals.items()}


def _shared(watts: float, can: Mapping[str, float]) -> dict[str, float]:
    """In proportion to what each can do."""
    shares = share_by_weight(watts, can, {name: max(each, 1.0) for name, each in can.items()})
    return {name: shares.get(name, 0.0) for name in can}


def _within(goals: Mapping[str, _Goal], room_watts: float) -> dict[str, _Goal]:
    made = fsum(goal.ac_watts for goal in goals.values())
    if made <= room_watts:
        return dict(goals)
    return {name: replace(g, ac_watts=g.ac_watts * room_watts / made, limited=True) for name, g in goals.items()}


def _command(name: str, goal: _Goal, valid_for_s: float) -> InverterCommand:
    watts = goal.stored_watts
    mode = BatteryMode.CHARGE if watts > 0 else BatteryMode.DISCHARGE if watts < 0 else BatteryMode.IDLE
    return InverterCommand(
        name,
        valid_for_s,
        ac_limit_watts=goal.ac_watts if goal.limited else None,
        battery=BatteryCommand(mode, watts, watts, watts, grid_charging=goal.drawn_watts > 0),
    )
