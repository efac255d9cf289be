"""Curtailed PV hides what it could do: how much more than the visible surplus is worth trying to charge with.

While an inverter stands at its AC limit and batteries could take more (or discharge less), the target is raised step by
step, and the AC limit of the PV that has to feed it rises in the same step. Only charging that is seen counts; where
the batteries do not take a step, the next one waits.
"""

from __future__ import annotations

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
    probe = _judge(state.probe, plant.battery_watts, now_s)
    if not curtailed or not plant.batteries:
        return HiddenSurplus(0.0, replace(probe, step_watts=0.0, wait_s=0.0, wait_until_s=0.0), 0)
    tolerance = IMPORT_TOLERANCE_PART_OF_RATING * plant.rating_watts
    if site_watts > tolerance:
        return _answer_import(curtailed, probe, state.import_steps, site_watts)
    if probe.step_watts > 0:
        return HiddenSurplus(max(probe.base_watts + probe.step_watts - plant.battery_watts, 0.0), probe, 0)
    step_watts = _step_watts(plant)
    if now_s < probe.wait_until_s or step_watts <= 0:
        return HiddenSurplus(0.0, probe, 0)
    taken = replace(probe, step_watts=step_watts, base_watts=plant.battery_watts, at_s=now_s)
    return HiddenSurplus(step_watts, taken, 0)


def _step_watts(plant: Plant) -> float:
    """The next step: 0 where batteries are at their limit already. Discharging less counts as taking more."""
    charge_max = fsum(b.charge_max_watts for b in plant.batteries if b.below_max)
    discharge_max = fsum(b.discharge_max_watts for b in plant.batteries)
    room = charge_max - plant.battery_watts
    step = STEP_PART_OF_LIMIT * max(charge_max, discharge_max if plant.battery_watts < 0 else 0.0)
    return 0.0 if room < SMALLEST_STEP_WATTS else min(step, room)


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


def _judge(probe: Probe, battery_watts: float, now_s: float) -> Probe:
    """Close a step that was taken, or that has had its time and was not."""
    if probe.step_watts <= 0:
        return probe
    taken = battery_watts - probe.base_watts
    if taken >= 0.5 * probe.step_watts:
        return replace(probe, step_watts=0.0, wait_s=0.0, wait_until_s=0.0)
    if now_s - probe.at_s < JUDGE_AFTER_S:
        return probe
    wait_s = min(max(2 * probe.wait_s, FIRST_WAIT_S), LONGEST_WAIT_S)
    return replace(probe, step_watts=0.0, wait_s=wait_s, wait_until_s=now_s + wait_s)
