"""Curtailed PV hides what it could do: how much more than the visible surplus is worth trying to charge with.

While an inverter stands at its AC limit and batteries could take more (or discharge less), the target is raised step by
step, and the AC limit of the PV that has to feed it rises in the same step. Only charging that is seen counts; where
the batteries do not take a step, the next one waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import fsum

from orchestrator.cycle import ControlState, Probe
from orchestrator.plant import Plant, Unit

STEP_PART_OF_LIMIT = 0.15
"""One step, as a part of the charge limit of all batteries."""

SMALLEST_STEP_WATTS = 50.0

JUDGE_AFTER_S = 2.0
"""After this time a step must have been taken by half, else it failed."""

FIRST_WAIT_S = 10.0
LONGEST_WAIT_S = 60.0

IMPORT_STEPS = 2
"""An import while PV is throttled is left to the AC limits for this many steps before batteries give way."""

IMPORT_TOLERANCE_PART_OF_RATING = 0.01


@dataclass(frozen=True, slots=True)
class HiddenSurplus:
    """`watts` are added to the visible surplus for the power flow; `probe` and `import_steps` go into the state."""

    watts: float
    probe: Probe
    import_steps: int


def hidden_surplus(plant: Plant, state: ControlState, site_watts: float, now_s: float) -> HiddenSurplus:
    """What throttled PV may add this step. `site_watts` import +."""
    curtailed = [u for u in plant.units if shows_curtailment(u)]
    tolerance = IMPORT_TOLERANCE_PART_OF_RATING * plant.rating_watts
    importing = site_watts > tolerance
    probe = _judge(state.probe, plant.battery_watts, importing, now_s)
    if not curtailed or not plant.batteries:
        return HiddenSurplus(0.0, replace(probe, step_watts=0.0, wait_s=0.0, wait_until_s=0.0), 0)
    if importing:
        return _answer_import(curtailed, probe, state.import_steps, site_watts)
    if probe.step_watts > 0:
        return HiddenSurplus(max(probe.base_watts + probe.step_watts - plant.battery_watts, 0.0), probe, 0)
    step = _next_step_watts(plant)
    if now_s < probe.wait_until_s or step <= 0:
        return HiddenSurplus(0.0, probe, 0)
    return HiddenSurplus(step, replace(probe, step_watts=step, base_watts=plant.battery_watts, at_s=now_s), 0)


def step_watts(plant: Plant) -> float:
    """One step of charging more. Discharging less counts as charging more."""
    charge_max = fsum(b.charge_max_watts for b in plant.batteries if b.below_max)
    discharge_max = fsum(b.discharge_max_watts for b in plant.batteries)
    return STEP_PART_OF_LIMIT * max(charge_max, discharge_max if plant.battery_watts < 0 else 0.0)


def drawn_from_ac(plant: Plant, battery_watts: Mapping[str, float]) -> dict[str, float]:
    """What each battery draws from AC at the given power (charging +): what its own PV does not cover.

    The PV of a curtailed hybrid is taken to follow its battery by itself.
    """
    return {
        u.name: 0.0 if shows_curtailment(u) else max(battery_watts.get(u.name, 0.0) - u.pv_watts, 0.0)
        for u in plant.units
        if u.battery
    }


def _next_step_watts(plant: Plant) -> float:
    """The next step of the probe: 0 where batteries are at their limit already."""
    room = fsum(b.charge_max_watts for b in plant.batteries if b.below_max) - plant.battery_watts
    return 0.0 if room < SMALLEST_STEP_WATTS else min(step_watts(plant), room)


def shows_curtailment(unit: Unit) -> bool:
    """Whether this inverter makes power right at its limit. One that makes nothing proves nothing: it may be night."""
    rating = unit.rating_watts or 0.0
    producing = max(unit.ac_watts, unit.pv_watts) > 0.01 * rating
    return unit.limitable and unit.throttled and producing


def _answer_import(curtailed: list[Unit], probe: Probe, steps: int, site_watts: float) -> HiddenSurplus:
    """Leave a short import to the AC limits, as far as the throttled inverters have room to their ratings."""
    if steps >= IMPORT_STEPS:
        return HiddenSurplus(0.0, probe, steps)
    room = fsum((u.rating_watts or 0.0) - u.limit_watts for u in curtailed)
    return HiddenSurplus(min(site_watts, room), probe, steps + 1)


def _judge(probe: Probe, battery_watts: float, importing: bool, now_s: float) -> Probe:
    """Close a step that was taken, or that failed: not taken in its time, or taken from the grid."""
    if probe.step_watts <= 0:
        return probe
    taken = battery_watts - probe.base_watts
    if taken >= 0.5 * probe.step_watts and not importing:
        return replace(probe, step_watts=0.0, wait_s=0.0, wait_until_s=0.0)
    if not importing and now_s - probe.at_s < JUDGE_AFTER_S:
        return probe
    wait_s = min(max(2 * probe.wait_s, FIRST_WAIT_S), LONGEST_WAIT_S)
    return replace(probe, step_watts=0.0, wait_s=wait_s, wait_until_s=now_s + wait_s)
