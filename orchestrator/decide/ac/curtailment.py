"""Curtailed PV hides what it could do: how much more than the visible surplus is worth trying to charge with.

While an inverter stands at its AC limit and batteries could take more (or discharge less), the target is raised step by
step, and the AC limit of the PV that has to feed it rises in the same step. Only charging that is seen counts; where
the batteries do not take a step, the next one waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum, inf

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.decide.ac.limit import rise_watts_per_s
from orchestrator.decide.following import Disobeys
from orchestrator.decide.memory import Probe, SiteMemory
from orchestrator.decide.plant.sun import may_hide_watts
from orchestrator.decide.plant.units import Plant, Unit

STEP_PART_OF_LIMIT = 0.15
"""What batteries take from AC may grow by two such steps, as a part of the charge limit, while AC is limited."""

SMALLEST_PART = 0.02
LARGEST_PART = 0.2
"""Steps of the probe, as a part of the charge limit of all batteries."""

TAKEN_PART = 0.5
SHRINK = 2.5
"""A step that is taken by this part has succeeded, and the next is twice as large; one that failed makes the next
smaller by this divisor. Losses and slow batteries keep back some of each step."""

SMALLEST_STEP_WATTS = 50.0
"""A smaller step drowns in noise, and less battery power than this is idle."""

ROOM_PART_OF_LIMIT = 0.005
"""Batteries this near to their charge limit are at it: the rest is losses."""

JUDGE_AFTER_S = 2.0
PROGRESS_PART = 0.05
"""After this time a step failed unless it was taken by half, or batteries still come nearer by this part a step."""

SHORT_WAIT_S = 2.0
FIRST_WAIT_S = 10.0
LONGEST_WAIT_S = 60.0
"""The wait after a failed step: short while a smaller one can be tried. Where the smallest failed there is hardly any
hidden PV, and each try may import: the wait doubles from the first to the longest; sun that comes back is noticed by
then."""

IMPORT_STEPS = 2
"""An import while PV is throttled is left to the AC limits for this many steps before batteries give way."""

FALLS_TO_PART = 0.85
"""... and for longer while each step leaves no more than this part of the import of the step before: inverters with a
lag of 3 s leave 0.72 of it, in a plant with some dead time 0.8."""

IMPORT_TOLERANCE_PART_OF_RATING = 0.01
"""Less import than this is losses and noise, and no sign that a step was served by the grid."""


class HiddenSurplus(Struct, frozen=True):
    """`watts` are added to the visible surplus for the power flow; the rest goes into the memory.

    `import_watts` is the import of this step that is left to AC limits.
    """

    watts: float
    probe: Probe
    import_steps: int
    import_watts: float = 0.0


def hidden_surplus(
    plant: Plant,
    before: SiteMemory,
    *,
    site_watts: float,
    charge_max_watts: float,
    now_s: float,
    import_limit_watts: float | None = None,
    ramp_watts_per_s: float | None = None,
) -> HiddenSurplus:
    """What throttled PV may add this step. `site_watts` import +; `charge_max_watts` is what batteries may take.

    What is imported above `import_limit_watts` is not left to AC limits: they rise step by step, batteries at once.
    `ramp_watts_per_s` is how fast all AC limits together may rise, None without a ramp of the site.
    """
    curtailed = [u for u in plant.units if u.curtailed]
    tolerance = IMPORT_TOLERANCE_PART_OF_RATING * plant.rating_watts
    # What batteries were told to give already, but have not yet given, will end as much of the import.
    lasting_watts = site_watts - max(plant.battery_watts - before.target_watts, 0.0)
    importing = lasting_watts > tolerance
    probe = judge(before.probe, plant.battery_watts, importing, now_s)
    if not curtailed or not plant.batteries:
        return HiddenSurplus(0.0, probe if not probe.step_watts else replace(probe, step_watts=0.0), 0)
    if importing:
        most = inf if import_limit_watts is None else import_limit_watts
        return _answer_import(curtailed, probe, before, min(lasting_watts, most))
    hiding = [u for u in curtailed if u.may_hide_pv]
    # Their AC limits rise no faster, and no more is worth a try than the sun may have risen by.
    hidden = max(fsum(may_hide_watts(u, now_s) for u in hiding), SMALLEST_STEP_WATTS)
    feeds = min(fsum(rise_watts_per_s(u) for u in hiding), hidden)
    feeds = feeds if ramp_watts_per_s is None else min(feeds, ramp_watts_per_s)
    watts, probe = _probe_further(
        plant, curtailed, probe, charge_max_watts=charge_max_watts, feeds_watts=feeds, now_s=now_s
    )
    # A small import is the throttled inverters' to cover: batteries that discharged for it would push PV out for good.
    return HiddenSurplus(watts + max(lasting_watts, 0.0), probe, 0)


def _probe_further(
    plant: Plant, curtailed: list[Unit], probe: Probe, *, charge_max_watts: float, feeds_watts: float, now_s: float
) -> tuple[float, Probe]:
    """What to charge with beyond what is visible, and the probe that goes with it."""
    lost = fsum(lost_with_its_battery_watts(u) for u in curtailed)
    if lost > max(IMPORT_TOLERANCE_PART_OF_RATING * plant.rating_watts, probe.step_watts):
        return lost, _begun(probe, lost, plant, now_s)
    if probe.step_watts > 0:
        return max(probe.base_watts + probe.step_watts - plant.battery_watts, 0.0), probe
    step = _next_step_watts(plant, charge_max_watts, feeds_watts, probe.part)
    if now_s < probe.wait_until_s or step <= 0:
        return 0.0, probe
    return step, _begun(probe, step, plant, now_s)


def _begun(probe: Probe, step_watts: float, plant: Plant, now_s: float) -> Probe:
    watts = plant.battery_watts
    return replace(probe, step_watts=step_watts, base_watts=watts, seen_watts=watts, at_s=now_s)


def step_watts(plant: Plant) -> float:
    """One step of charging more. Discharging less counts as charging more."""
    charge_max = fsum(b.charge_max_watts for b in plant.batteries if b.below_max)
    discharge_max = fsum(b.discharge_max_watts for b in plant.batteries)
    return STEP_PART_OF_LIMIT * max(charge_max, discharge_max if plant.battery_watts < 0 else 0.0)


def taken_from_ac(plant: Plant, battery_watts: Mapping[str, float]) -> dict[str, float]:
    """What charging at the given power (charging +) takes away from the AC side of the site, by battery.

    All of it, whether the inverter draws it or just makes less AC; only a curtailed hybrid makes it on top.
    """
    return {u.name: 0.0 if u.curtailed else max(battery_watts.get(u.name, 0.0), 0.0) for u in plant.units if u.battery}


def _next_step_watts(plant: Plant, charge_max_watts: float, feeds_watts: float, part: float) -> float:
    """The next step of the probe, no more than AC limits feed in a step: 0 where all batteries that follow are at
    their limit already.
    """
    open_watts = fsum(
        u.battery.charge_max_watts - u.battery.watts
        for u in plant.units
        if u.battery and u.battery.below_max and Disobeys.STALLED not in u.memory.following.states
    )
    room = min(open_watts, charge_max_watts - plant.battery_watts)
    whole = step_watts(plant) / STEP_PART_OF_LIMIT
    at_their_limit = room < ROOM_PART_OF_LIMIT * min(whole, charge_max_watts)
    return 0.0 if at_their_limit else min(max(part * whole, SMALLEST_STEP_WATTS), feeds_watts, room)


def lost_with_its_battery_watts(unit: Unit) -> float:
    """PV that went with the charging it fed: when a battery fills behind an AC limit, its PV is known to be there."""
    before = unit.memory.following
    if unit.battery is None or before.seen_at_s is None or not unit.curtailed:
        return 0.0
    charging_lost = before.seen_watts - unit.battery_watts
    return max(min(charging_lost, before.seen_pv_watts - unit.pv_watts), 0.0)


def _answer_import(curtailed: list[Unit], probe: Probe, before: SiteMemory, import_watts: float) -> HiddenSurplus:
    """Leave a short import to the AC limits, as far as the throttled inverters have room to their ratings.

    For longer while it falls by much in each step: they are on their way, and batteries would give way for nothing.
    """
    steps = before.import_steps
    if steps >= IMPORT_STEPS and import_watts > FALLS_TO_PART * before.import_watts:
        return HiddenSurplus(0.0, probe, steps)
    room = fsum((u.rating_watts or 0.0) - min(u.ac_watts, u.limit_watts) for u in curtailed)
    return HiddenSurplus(min(import_watts, room), probe, steps + 1, import_watts)


def judge(probe: Probe, seen_watts: float, importing: bool, now_s: float, *, taken_part: float = TAKEN_PART) -> Probe:
    """Close a step that was taken by `taken_part`, or that failed: served by the grid, or not followed any more.

    `seen_watts` is what the step is to raise: the power of all batteries (charging +), or of PV.
    """
    if probe.step_watts <= 0:
        return probe
    taken = seen_watts - probe.base_watts
    if taken >= taken_part * probe.step_watts and not importing:
        return Probe(part=min(2 * probe.part, LARGEST_PART))
    follows_still = seen_watts - probe.seen_watts >= PROGRESS_PART * probe.step_watts
    if not importing and (follows_still or now_s - probe.at_s < JUDGE_AFTER_S):
        return replace(probe, seen_watts=seen_watts)
    if probe.part > SMALLEST_PART:
        smaller = max(probe.part / SHRINK, SMALLEST_PART)
        return replace(probe, step_watts=0.0, part=smaller, wait_until_s=now_s + SHORT_WAIT_S)
    again = now_s - probe.wait_until_s < LONGEST_WAIT_S
    wait_s = min(2 * probe.wait_s, LONGEST_WAIT_S) if probe.wait_s and again else FIRST_WAIT_S
    return replace(probe, step_watts=0.0, wait_s=wait_s, wait_until_s=now_s + wait_s)
