"""What batteries do for a phase that would exceed its limit, on top of their shares of the site's target.

The target of the site knows the sum alone: one phase may export while another imports, and the sum be nothing.

- A phase would export too much: the batteries that are on it alone charge more, or give less. What they do not take is
  for the AC limits. A battery with three phases gives less, and is not charged for it: it would import on the other
  two what it takes on one.
  What that takes away from the sum comes from batteries on the other phases, as far as these may export it.
- A phase would import too much: the batteries on it charge less, those that are on it alone first, and then these give.
  What is still missing comes from batteries with three phases, as far as the other phases may export it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import fsum, inf
from types import MappingProxyType
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.decide.allocation.base import Bound
from orchestrator.decide.allocation.spread import Allocation, BatteryShare, share_by_weight
from orchestrator.decide.battery.command import must_rest
from orchestrator.decide.battery.drawing import drawn_watts
from orchestrator.decide.battery.target import discharge_max_watts
from orchestrator.decide.following import Disobeys
from orchestrator.decide.memory import PhaseMemory
from orchestrator.decide.plant.phases import PHASES, SeenPhase, SeenPhases
from orchestrator.decide.plant.units import Battery, Plant, Unit
from orchestrator.reason import because
from orchestrator.setpoints.fields import SetpointFields

HELPS_FROM_WATTS: Final = 10.0
"""Less than this above a limit is noise of the meter: no battery is told another power for it."""

TRIED_PART_OF_LIMIT: Final = 0.05
"""Behind an AC limit nobody sees what PV could make. So batteries are asked for so much more of what they may charge
with, in the same step in which that makes room: where there is no more PV, so much less is exported, and stored."""

TRIED_LEAST_WATTS: Final = 50.0
"""Batteries that could take less than a thousand watts more are as good as full: a smaller step drowns in noise."""

NEARLY_FULL_PERCENT: Final = 1.0
"""One that is so near to its maximum takes a step for some seconds, and then it is exported."""

TAKEN_PART: Final = 0.5
TRIED_FOR_S: Final = 3.0
TRIED_AGAIN_AFTER_S: Final = 30.0
"""A step of which less than half has come by then was in vain: the battery does not take it. So long none is tried."""

NO_HELP: Final[Mapping[int, float]] = MappingProxyType({})


class _Targets:
    """The target of each battery (charging +) while phases are helped, and what flows on each phase with it."""

    def __init__(
        self, allocation: Allocation, plant: Plant, seen: SeenPhases, wanted: SetpointFields, now_s: float
    ) -> None:
        self.watts = {b.name: allocation.watts(b.name) for b in plant.batteries}
        self._plant = plant
        self._seen = seen
        self.wanted = wanted
        self.now_s = now_s

    def flow_watts(self, phase: SeenPhase, load_watts: float) -> float:
        """What flows on a phase once the batteries have followed, import +."""
        parts = self._seen.parts
        return load_watts - fsum(parts[u.name][phase.phase - 1] * self._makes_watts(u) for u in self._plant.units)

    def sum_watts(self) -> float:
        """What flows on all phases together then, import +."""
        return self._seen.load_watts - fsum(self._makes_watts(u) for u in self._plant.units)

    def giving(self, batteries: Iterable[Battery]) -> dict[str, float]:
        """What each is to give; less of it is the first thing that helps against export."""
        return {b.name: max(-self.watts[b.name], 0.0) for b in batteries}

    def charging(self, batteries: Iterable[Battery]) -> dict[str, float]:
        """What each is to be charged with; less of it is the first thing that helps against import."""
        return {b.name: max(self.watts[b.name], 0.0) for b in batteries}

    def charge_rooms(self, batteries: Iterable[Battery]) -> dict[str, float]:
        """How much more each may charge, within what all may charge and draw together."""
        rooms = {
            b.name: max(b.charge_room_watts() - max(self.watts[b.name], 0.0), 0.0)
            for b in batteries
            if not must_rest(self._plant.unit(b.name), True, self.now_s)
        }
        left = inf
        if self.wanted.battery_charge_max_watts is not None:
            left = self.wanted.battery_charge_max_watts - fsum(max(watts, 0.0) for watts in self.watts.values())
        if self.wanted.load_limit_watts is not None:
            may_draw_watts = self.wanted.load_limit_watts - self._drawn_watts()
            left = min(left, may_draw_watts / max((self._draws_part(name) for name in rooms), default=1.0))
        return _at_most(rooms, max(left, 0.0))

    def discharge_rooms(self, batteries: Iterable[Battery]) -> dict[str, float]:
        """How much more each may give, within what all may give together."""
        rooms = {
            b.name: max(b.discharge_room_watts() - max(-self.watts[b.name], 0.0), 0.0)
            for b in batteries
            if not must_rest(self._plant.unit(b.name), False, self.now_s)
        }
        left = discharge_max_watts(self._plant, self.wanted) - fsum(max(-watts, 0.0) for watts in self.watts.values())
        return _at_most(rooms, max(left, 0.0))

    def change(self, watts: float, rooms: Mapping[str, float], sign: int, *, times: int = 1) -> float:
        """Change the targets so that a phase gets `watts` more (+1: charge more) or less; what of it is done, in W.

        `rooms` are how far each may be changed; `times` as much is needed of batteries that share it over the phases.
        """
        if watts <= 0 or not rooms:
            return 0.0
        moved = share_by_weight(times * watts, rooms, {name: max(room, 1.0) for name, room in rooms.items()})
        for name, each in moved.items():
            self.watts[name] += sign * each
        return fsum(moved.values()) / times

    def _makes_watts(self, unit: Unit) -> float:
        """The AC power of an inverter once its battery has followed."""
        if unit.battery is None:
            return unit.ac_watts
        return unit.ac_watts - (self.watts[unit.name] - unit.battery.watts)

    def _drawn_watts(self) -> float:
        """What is drawn from AC for charging."""
        return fsum(
            drawn_watts(u, self.watts[u.name]) if u.battery else max(-u.ac_watts, 0.0) for u in self._plant.units
        )

    def _draws_part(self, name: str) -> float:
        return self._plant.unit(name).memory.battery.draws_part


class PhaseHelp(Struct, frozen=True):
    """The shares with what batteries do for phases, and that in W by phase (charging more is +).

    `seen` are the same phases, with what is to be remembered of them.
    """

    allocation: Allocation
    watts: Mapping[int, float]
    seen: SeenPhases


def help_phases(
    allocation: Allocation, plant: Plant, seen: SeenPhases, wanted: SetpointFields, *, now_s: float
) -> PhaseHelp:
    """Change the shares so that no phase exceeds its limits, as far as batteries can."""
    targets = _Targets(allocation, plant, seen, wanted, now_s)
    obedient = [
        u.battery for u in plant.units if u.battery is not None and Disobeys.STUBBORN not in u.memory.following.states
    ]
    tries = {each.phase: _try(targets, each, _on(seen, each, obedient)[0]) for each in seen.phases}
    helped = {
        each.phase: _against_export(targets, seen, each, obedient, tries[each.phase].watts) for each in seen.phases
    }
    _make_up(targets, seen, helped, obedient)
    for phase in seen.phases:
        helped[phase.phase] -= _against_import(targets, seen, phase, obedient)
    for phase in seen.phases:  # what was imported too much may have kept the first help small
        helped[phase.phase] += _against_export(targets, seen, phase, obedient, tries[phase.phase].watts)
    shares = dict(allocation.shares)
    for name, watts in targets.watts.items():
        before = shares.get(name)
        if before is not None and abs(watts - before.watts) >= 1.0:
            own = next((n for n, part in enumerate(seen.parts[name], 1) if part == 1.0), None)
            reason = because("helps_all_phases") if own is None else because("helps_its_phase", phase=own)
            shares[name] = BatteryShare(watts, reason, Bound.NOTHING)
    did = {phase: watts for phase, watts in helped.items() if abs(watts) >= HELPS_FROM_WATTS}
    remembered = tuple(replace(each, memory=tries[each.phase].memory) for each in seen.phases)
    return PhaseHelp(replace(allocation, shares=shares), did, replace(seen, phases=remembered))


class _Try(Struct, frozen=True):
    """What is asked for beyond what is seen, in W, and what is remembered of it."""

    watts: float
    memory: PhaseMemory


def _try(targets: _Targets, phase: SeenPhase, alone: list[Battery]) -> _Try:
    """A step for PV that the limit of the phase may hide, while batteries on it alone take such steps."""
    memory, limit, now_s = phase.memory, phase.export_limit_watts, targets.now_s
    step = TRIED_PART_OF_LIMIT * fsum(b.charge_room_watts() for b in alone if _has_room(b))
    if not alone or limit is None:
        return _Try(0.0, replace(memory, tried_at_s=None))
    taken, tried_at_s = fsum(b.watts for b in alone), memory.tried_at_s
    if tried_at_s is not None:
        if taken - memory.tried_from_watts >= TAKEN_PART * max(step, TRIED_LEAST_WATTS):
            memory = replace(memory, tried_at_s=None)
        elif step < TRIED_LEAST_WATTS or now_s - tried_at_s >= TRIED_FOR_S:
            memory = replace(memory, tried_at_s=None, wait_until_s=now_s + TRIED_AGAIN_AFTER_S)
    is_near = -targets.flow_watts(phase, phase.load_watts) - limit >= -2 * step
    hides = is_near and any(u.curtailed for u in phase.plant.units)
    if step < TRIED_LEAST_WATTS or now_s < memory.wait_until_s or not (hides or memory.tried_at_s is not None):
        return _Try(0.0, memory)
    if memory.tried_at_s is None:
        memory = replace(memory, tried_at_s=now_s, tried_from_watts=taken)
    return _Try(step, memory)


def _has_room(battery: Battery) -> bool:
    soc = battery.soc_percent
    return soc is None or soc <= battery.soc_max_percent - NEARLY_FULL_PERCENT


def _against_export(
    targets: _Targets, seen: SeenPhases, phase: SeenPhase, obedient: list[Battery], tried_watts: float
) -> float:
    """Batteries of this phase alone take what it would export too much, and those with three phases give less; in W."""
    alone, three = _on(seen, phase, obedient)
    if phase.export_limit_watts is None or not (alone or three):
        return 0.0
    excess = -targets.flow_watts(phase, phase.load_watts) - phase.export_limit_watts
    excess += tried_watts
    import_limit = targets.wanted.import_limit_watts
    if import_limit is not None:
        excess = min(excess, import_limit - targets.sum_watts())
    if excess < HELPS_FROM_WATTS:
        return 0.0
    done = targets.change(excess, targets.giving(alone), 1)
    done += targets.change(excess - done, targets.charge_rooms(alone), 1)
    free = min(_free_to_import(targets, each) for each in seen.phases if each.phase != phase.phase)
    rooms = _at_most(targets.giving(three), PHASES * free)
    return done + targets.change(excess - done, rooms, 1, times=PHASES)


def _make_up(targets: _Targets, seen: SeenPhases, helped: Mapping[int, float], obedient: list[Battery]) -> None:
    """What is stored for one phase and now missing in the sum comes from batteries on the others, as far as these may
    export: else it would be imported, with energy in the batteries.
    """
    if targets.wanted.battery_grid_charging_enabled:
        return
    missing = min(targets.sum_watts(), fsum(helped.values()))
    for phase in seen.phases if missing >= HELPS_FROM_WATTS else ():
        alone, _ = _on(seen, phase, obedient)
        if not helped[phase.phase]:
            rooms = _at_most(targets.discharge_rooms(alone), _free_to_export(targets, phase))
            missing -= targets.change(missing, rooms, -1)


def _against_import(targets: _Targets, seen: SeenPhases, phase: SeenPhase, obedient: list[Battery]) -> float:
    """Batteries charge less, or give, for what this phase would import too much; in W on this phase."""
    alone, three = _on(seen, phase, obedient)
    if phase.import_limit_watts is None or not (alone or three):
        return 0.0
    excess = targets.flow_watts(phase, phase.import_load_watts) - phase.import_limit_watts
    if excess < HELPS_FROM_WATTS:
        return 0.0
    done = targets.change(excess, targets.charging(alone), -1)
    done += targets.change(excess - done, targets.charging(three), -1, times=PHASES)
    done += targets.change(excess - done, targets.discharge_rooms(alone), -1)
    if excess - done < HELPS_FROM_WATTS or not three:
        return done
    free = min(_free_to_export(targets, each) for each in seen.phases if each.phase != phase.phase)
    rooms = _at_most(targets.discharge_rooms(three), PHASES * free)
    return done + targets.change(excess - done, rooms, -1, times=PHASES)


def _on(seen: SeenPhases, phase: SeenPhase, batteries: Iterable[Battery]) -> tuple[list[Battery], list[Battery]]:
    """The batteries on this phase: those that are on it alone, and those with three phases."""
    parts = [(each, seen.parts[each.name][phase.phase - 1]) for each in batteries]
    return [each for each, part in parts if part == 1.0], [each for each, part in parts if 0.0 < part < 1.0]


def _free_to_import(targets: _Targets, phase: SeenPhase) -> float:
    if phase.import_limit_watts is None:
        return inf
    return max(phase.import_limit_watts - targets.flow_watts(phase, phase.import_load_watts), 0.0)


def _free_to_export(targets: _Targets, phase: SeenPhase) -> float:
    if phase.export_limit_watts is None:
        return inf
    return max(phase.export_limit_watts + targets.flow_watts(phase, phase.load_watts), 0.0)


def _at_most(rooms: Mapping[str, float], total_watts: float) -> dict[str, float]:
    """The same rooms, no more than that together."""
    total = fsum(rooms.values())
    part = 1.0 if total <= total_watts else total_watts / total
    return {name: room * part for name, room in rooms.items()}
