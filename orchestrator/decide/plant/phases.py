"""The phases of the site, where limits hold on each of them: what flows on each, and what may.

A phase is a small site of its own: the inverters that are on it, with the part that they give to it, and its own load.
An inverter with one phase is on that one alone, one with three gives a third to each. So what is known of a site holds
for a phase: `phase_plant` makes one of it, and its load follows from what the meter shows there (`plant.load`).

A meter that does not show its phases leaves nothing but the worst case: no load at all on the phase that exports, all
of it on the phase that imports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import fsum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.config.sections import AnyInverterConfig, SiteConfig
from orchestrator.decide.memory import LimitMemory, LoadEstimate, PhaseMemory
from orchestrator.decide.plant.load import estimate_load
from orchestrator.decide.plant.units import Battery, Plant, Unit
from orchestrator.samples import MeterSample
from orchestrator.setpoints.fields import SetpointFields

PHASES: Final = 3
"""Networks of low voltage have three, and a meter that shows another number of powers does not show the phases."""

ALL_PHASES: Final = (1 / PHASES,) * PHASES
"""An inverter with three phases gives the same to each: so standards want it, and few can do otherwise."""


def phase_parts(inverter: AnyInverterConfig) -> tuple[float, ...]:
    """How much of its AC power an inverter gives to each phase; the sum is 1."""
    if inverter.phase is None:
        return ALL_PHASES
    return tuple(float(phase == inverter.phase) for phase in range(1, PHASES + 1))


class SeenPhase(Struct, frozen=True):
    """One phase (1 to 3) with the limits that hold on it, in W (None: unlimited).

    `plant` is what of the inverters is on it. `load_watts` is its load for the export limit, `import_load_watts` that
    for the import limit: they differ where the meter does not show the phase, and each is at its worst.
    """

    phase: int
    plant: Plant
    load_watts: float
    import_load_watts: float
    export_limit_watts: float | None
    import_limit_watts: float | None
    memory: PhaseMemory


class SeenPhases(Struct, frozen=True):
    """All phases, with the load of all of them together in W; `is_known` says whether the meter shows them.

    `parts` are those of each inverter, by its name.
    """

    phases: tuple[SeenPhase, ...]
    load_watts: float
    parts: Mapping[str, tuple[float, ...]]
    is_known: bool

    def of_phase(self, watts: Mapping[str, float], phase: int) -> dict[str, float]:
        """What of these powers, by inverter, is on one phase (1 to 3); without those that are not on it."""
        return {name: each * part for name, each in watts.items() if (part := self.parts[name][phase - 1])}


class PhaseRoom(Struct, frozen=True):
    """The room for AC power on one phase (1 to 3), in W, under its limit; whether that holds AC power down."""

    phase: int
    limit_watts: float
    room_watts: float
    binds: bool


class PhaseCaps(Struct, frozen=True):
    """The most that each inverter may make, in W by name, and what is remembered of the phases.

    `rooms` are those of the phases that have a limit.
    """

    watts: Mapping[str, float]
    rooms: tuple[PhaseRoom, ...]
    exceeded: bool
    memories: tuple[PhaseMemory, ...]


def phase_limit_watts(stated_watts: float | None, site_watts: float | None) -> float | None:
    """The limit on each phase: what site.yaml states, else a third of the site's, in W; None: unlimited."""
    if stated_watts is not None:
        return stated_watts if site_watts is None else min(stated_watts, site_watts)
    return None if site_watts is None else site_watts / PHASES


def see_phases(
    config: SiteConfig,
    before: tuple[PhaseMemory, ...],
    meter: MeterSample,
    plant: Plant,
    wanted: SetpointFields,
    *,
    export_limit_watts: float | None,
    load_watts: float,
) -> SeenPhases | None:
    """What flows on each phase; None where limits hold for the sum alone. `load_watts` is that of the site."""
    if not config.control.limits_per_phase:
        return None
    stated = config.control.phase_limits
    export_limit = phase_limit_watts(stated.export_limit_watts, export_limit_watts)
    import_limit = phase_limit_watts(stated.import_limit_watts, wanted.import_limit_watts)
    parts = {u.name: phase_parts(u.config) for u in plant.units}
    is_known = len(meter.phase_watts) == PHASES
    memories = before or (PhaseMemory(),) * PHASES
    seen = []
    for phase, memory in enumerate(memories, 1):
        small = phase_plant(plant, phase)
        load, remembered = (0.0, replace(memory, load=None)) if not is_known else _load(memory, meter, small, phase)
        at_import = load if is_known else max(load_watts, 0.0)
        seen.append(SeenPhase(phase, small, load, at_import, export_limit, import_limit, remembered))
    return SeenPhases(tuple(seen), load_watts, parts, is_known)


def _load(memory: PhaseMemory, meter: MeterSample, plant: Plant, phase: int) -> tuple[float, PhaseMemory]:
    """The load of a phase. Its value may have changed where the sum has not."""
    watts = meter.phase_watts[phase - 1]
    changed_at_s = memory.changed_at_s if watts == memory.watts else max(meter.changed_at_s, meter.at_s)
    load: LoadEstimate = estimate_load(memory.load, replace(meter, site_watts=watts, changed_at_s=changed_at_s), plant)
    return load.load_watts, replace(memory, load=load, watts=watts, changed_at_s=changed_at_s)


def phase_plant(plant: Plant, phase: int) -> Plant:
    """What of the plant is on one phase (1 to 3): of an inverter with three phases a third."""
    with_parts = ((unit, phase_parts(unit.config)[phase - 1]) for unit in plant.units)
    return Plant(tuple(_part_of(unit, part) for unit, part in with_parts if part))


def _part_of(unit: Unit, part: float) -> Unit:
    """The unit as one phase sees it."""
    if part == 1.0:
        return unit
    times = _times(part)
    sample, memory = unit.sample, unit.memory
    output = memory.output and replace(memory.output, ac_watts=memory.output.ac_watts * part)
    open_to = times(memory.battery.open_to_watts)
    return replace(
        unit,
        sample=replace(
            sample,
            ac_watts=times(sample.ac_watts),
            pv_watts=times(sample.pv_watts),
            ac_limit_step_watts=sample.ac_limit_step_watts * part,
        ),
        memory=replace(
            memory,
            limit=LimitMemory(times(memory.limit.watts), None, memory.limit.changed_at_s),
            battery=replace(memory.battery, open_to_watts=open_to),
            output=output,
        ),
        rating_watts=times(unit.rating_watts),
        limit_watts=unit.limit_watts * part,
        battery=unit.battery and _part_of_battery(unit.battery, part),
    )


def _part_of_battery(battery: Battery, part: float) -> Battery:
    return replace(
        battery,
        watts=battery.watts * part,
        charge_max_watts=battery.charge_max_watts * part,
        discharge_max_watts=battery.discharge_max_watts * part,
    )


def _times(part: float) -> Callable[[float | None], float | None]:
    return lambda watts: None if watts is None else watts * part


def within_each_phase(
    config: SiteConfig, limits_watts: Mapping[str, float], room_watts: float | None
) -> dict[str, float]:
    """AC limits, by inverter, that are safe on each phase without any load; `room_watts` is safe for the sum.

    On a phase that would have too much all that are on it are lowered by the same part.
    """
    limits = dict(limits_watts)
    room = phase_limit_watts(config.control.phase_limits.export_limit_watts, room_watts)
    if not config.control.limits_per_phase or room is None:
        return limits
    parts = {each.name: phase_parts(each) for each in config.inverters if each.name in limits}
    totals = [fsum(limits[name] * each[phase] for name, each in parts.items()) for phase in range(PHASES)]
    keeps = [min(room / total, 1.0) if total else 1.0 for total in totals]
    return {name: limits[name] * min(k for k, p in zip(keeps, each, strict=True) if p) for name, each in parts.items()}
