"""How good a run was, in numbers: pure functions over its moments, for scenarios, the scoreboard and `simulate`.

Every moment counts for one period. Powers are the physics' own, not what the meter or the loop believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import fsum, inf

from orchestrator.commands import InverterCommand
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.physics import SECONDS_PER_HOUR, Controls, PowerState, battery_range
from orchestrator.simulation.virtual_time import Moment

TURNED_PART_OF_RATING = 0.02
"""Battery power below this part of its rating counts as no direction."""
REGISTER_STEP_PART = 0.0001
"""A change by less than the resolution of a register (0.01 % of rating) does not count as a change of command."""

LIMITED: dict[str, Callable[[Moment], float]] = {
    "export": lambda m: max(-m.site_watts, 0.0),
    "import": lambda m: max(m.site_watts, 0.0),
    "generation": lambda m: fsum(max(p.ac_watts, 0.0) for p in m.powers),
    "load": lambda m: fsum(max(-p.ac_watts, 0.0) for p in m.powers),
}
"""The power that each limit is about, as a magnitude in W."""


def limit_watts(wanted: SetpointFields, limit: str) -> float | None:
    """The value of a limit of `LIMITED`, None where nobody asks for it."""
    value: float | None = getattr(wanted, f"{limit}_limit_watts")
    return value


def excess_watts(run: Run, limit: str, tolerance_percent: float = 2.0) -> list[float]:
    """For each moment by how much the limit, and a tolerance in percent of nameplate, was exceeded (>= 0)."""
    tolerance = run.nameplate_watts * tolerance_percent / 100
    limits = (limit_watts(m.wanted, limit) for m in run.moments)
    return [
        0.0 if allowed is None else max(LIMITED[limit](m) - allowed - tolerance, 0.0)
        for m, allowed in zip(run.moments, limits, strict=True)
    ]


def seconds_above(run: Run, limit: str = "export", tolerance_percent: float = 2.0) -> float:
    """For how long the limit was exceeded."""
    return run.period_s * sum(excess > 0 for excess in excess_watts(run, limit, tolerance_percent))


def longest_above_s(run: Run, limit: str = "export", tolerance_percent: float = 2.0) -> float:
    """The longest time without a break for which the limit was exceeded."""
    excess = excess_watts(run, limit, tolerance_percent)
    return run.period_s * max((len(list(g)) for over, g in groupby(excess, lambda e: e > 0) if over), default=0)


def watt_hours_above(run: Run, limit: str = "export", tolerance_percent: float = 2.0) -> float:
    """The energy above the limit."""
    return _watt_hours(run, excess_watts(run, limit, tolerance_percent))


def mean_import_watts(run: Run) -> float:
    """Mean of the imported power; exports do not make up for it."""
    return _mean(max(m.site_watts, 0.0) for m in run.moments)


def mean_export_watts(run: Run) -> float:
    """Mean of the exported power."""
    return _mean(max(-m.site_watts, 0.0) for m in run.moments)


def delivered_export_percent(run: Run) -> float:
    """Exported energy in percent of what limits, light and batteries allowed; 100 where nothing was possible."""
    possible = fsum(each.export_watts for each in run.ideals)
    exported = fsum(min(max(-m.site_watts, 0.0), i.export_watts) for m, i in zip(run.moments, run.ideals, strict=True))
    return 100.0 * exported / possible if possible else 100.0


def settling_s(run: Run, within_watts: float) -> float:
    """How long until the site's power stays within `within_watts` of where it ends (its mean of the last tenth)."""
    last = run.moments[-max(len(run.moments) // 10, 1) :]
    end_watts = _mean(m.site_watts for m in last)
    unsettled = [n for n, m in enumerate(run.moments, 1) if abs(m.site_watts - end_watts) > within_watts]
    return run.period_s * max(unsettled, default=0)


def seconds_to_charging(run: Run, percent: float = 95.0) -> float:
    """How long until every battery charges with `percent` of what it can take then; infinite where that never is."""
    for number, moment in enumerate(run.moments, 1):
        if all(_charges(run, n, moment.powers[n], percent) for n, i in enumerate(run.inverters) if i.battery):
            return run.period_s * number
    return inf


def avoidable_curtailed_wh(run: Run) -> float:
    """PV that was curtailed and could have been used, by load, batteries or the export limit."""
    return _watt_hours(
        run,
        [max(_curtailed_watts(m) - i.curtailed_watts, 0.0) for m, i in zip(run.moments, run.ideals, strict=True)],
    )


def avoidable_curtailed_percent(run: Run) -> float:
    """The same in percent of the PV that could have been used."""
    usable_wh = _watt_hours(run, [each.pv_watts for each in run.ideals])
    return 100.0 * avoidable_curtailed_wh(run) / usable_wh if usable_wh else 0.0


def avoidable_imported_wh(run: Run) -> float:
    """Energy that was imported though PV or batteries could have given it."""
    return _watt_hours(
        run,
        [max(max(m.site_watts, 0.0) - i.imported_watts, 0.0) for m, i in zip(run.moments, run.ideals, strict=True)],
    )


def mean_battery_miss_watts(run: Run) -> float:
    """By how much all batteries together are away from what the best second asks of them, in the mean, in W."""
    return _mean(
        abs(fsum(p.battery_watts for p in m.powers) - i.battery_watts)
        for m, i in zip(run.moments, run.ideals, strict=True)
    )


def curtailed_wh(run: Run) -> float:
    """All PV that was curtailed."""
    return _watt_hours(run, [_curtailed_watts(m) for m in run.moments])


def imported_wh(run: Run) -> float:
    """All energy that was imported."""
    return _watt_hours(run, [max(m.site_watts, 0.0) for m in run.moments])


def direction_changes(run: Run, inverter: str | None = None) -> int:
    """How often batteries (or the battery of one inverter) changed between charging and discharging."""
    chosen = range(len(run.inverters)) if inverter is None else [run.index(inverter)]
    return sum(_turns(_battery_directions(run, number)) for number in chosen)


def direction_changes_since(run: Run, former: Sequence[int]) -> tuple[int, list[int]]:
    """The same of a run that goes on from another, and the last direction (1, -1, or 0) of each battery at its end.

    `former` are these directions at the end of the one before: a battery may rest for longer than one part of a run.
    """
    changes, latest = 0, list(former)
    for number, before in enumerate(former):
        directions = [d for d in (before, *_battery_directions(run, number)) if d]
        changes += _turns(directions)
        latest[number] = directions[-1] if directions else 0
    return changes, latest


def forced_direction_changes(run: Run) -> int:
    """How often light and load made the site's batteries turn: what perfect knowledge could not have avoided."""
    rating = fsum(i.battery.charge_watts for i in run.inverters if i.battery)
    return _turns(_direction(i.battery_watts, rating) for i in run.ideals)


def unforced_direction_changes(run: Run) -> int:
    """The most turns of one battery beyond those that light and load forced (>= 0)."""
    batteries = [n for n, inverter in enumerate(run.inverters) if inverter.battery]
    most = max((_turns(_battery_directions(run, n)) for n in batteries), default=0)
    return max(most - forced_direction_changes(run), 0)


def command_changes(run: Run, inverter: str | None = None) -> int:
    """How often a command changed by more than a register can show; each of them is a write."""
    before: dict[str, InverterCommand] = {}
    changes = 0
    for command in (c for m in run.moments for c in m.commands if inverter in (None, c.inverter)):
        rating = run.simulation.inverters[command.inverter].ac_rating_watts
        former = before.get(command.inverter)
        changes += former is not None and _differs(former, command, rating * REGISTER_STEP_PART)
        before[command.inverter] = command
    return changes


def energy_gap_wh(run: Run) -> float:
    """By how much the energy of the site does not add up: 0 except for rounding."""
    gaps = [m.site_watts - m.load_watts + fsum(p.ac_watts for p in m.powers) for m in run.moments]
    return _watt_hours(run, [abs(gap) for gap in gaps])


def soc_percent(run: Run, inverter: str) -> list[float]:
    """The state of charge at each moment. Raises KeyError for an inverter without a battery."""
    number = run.index(inverter)
    battery = run.inverters[number].battery
    if battery is None:
        raise KeyError(inverter)
    return [100.0 * m.powers[number].stored_wh / battery.capacity_wh for m in run.moments]


@dataclass(frozen=True, slots=True)
class Score:
    """One run in one line; seconds and energy above limits are sums over all limits."""

    seconds_above_limits: float
    watt_hours_above_limits: float
    longest_above_limits_s: float
    settling_s: float
    avoidable_curtailed_wh: float
    avoidable_imported_wh: float
    direction_changes: int
    forced_direction_changes: int
    command_changes: int


def score(run: Run, *, tolerance_percent: float = 2.0) -> Score:
    """All measures of a run. Settling: within `tolerance_percent` of nameplate of where it ends."""
    return Score(
        seconds_above_limits=fsum(seconds_above(run, limit, tolerance_percent) for limit in LIMITED),
        watt_hours_above_limits=fsum(watt_hours_above(run, limit, tolerance_percent) for limit in LIMITED),
        longest_above_limits_s=max(longest_above_s(run, limit, tolerance_percent) for limit in LIMITED),
        settling_s=settling_s(run, run.nameplate_watts * tolerance_percent / 100),
        avoidable_curtailed_wh=avoidable_curtailed_wh(run),
        avoidable_imported_wh=avoidable_imported_wh(run),
        direction_changes=direction_changes(run),
        forced_direction_changes=forced_direction_changes(run),
        command_changes=command_changes(run),
    )


def _curtailed_watts(moment: Moment) -> float:
    return fsum(p.pv_available_watts - p.pv_watts for p in moment.powers)


def _charges(run: Run, number: int, state: PowerState, percent: float) -> bool:
    battery = run.inverters[number].battery
    if battery is None:
        return True
    possible = battery_range(battery, Controls(reserve_percent=battery.reserve_percent), state.stored_wh, run.period_s)
    return state.battery_watts >= possible.high_watts * percent / 100


def _battery_directions(run: Run, number: int) -> Iterable[int]:
    battery = run.inverters[number].battery
    rating = battery.charge_watts if battery else 0.0
    return (_direction(m.powers[number].battery_watts, rating) for m in run.moments)


def _direction(watts: float, rating_watts: float) -> int:
    if abs(watts) <= TURNED_PART_OF_RATING * rating_watts:
        return 0
    return 1 if watts > 0 else -1


def _turns(directions: Iterable[int]) -> int:
    return sum(a != b for a, b in pairwise(d for d in directions if d))


def _differs(former: InverterCommand, latter: InverterCommand, step_watts: float) -> bool:
    return _switches(former) != _switches(latter) or any(
        (a is None) != (b is None) or abs((a or 0.0) - (b or 0.0)) > step_watts
        for a, b in zip(_watts(former), _watts(latter), strict=True)
    )


def _switches(command: InverterCommand) -> tuple[bool | None, ...]:
    return (command.connect, command.battery.grid_charging if command.battery else None)


def _watts(command: InverterCommand) -> tuple[float | None, ...]:
    battery = command.battery
    return (command.ac_limit_watts, *((battery.low_watts, battery.high_watts) if battery else (None, None)))


def _watt_hours(run: Run, watts: Sequence[float]) -> float:
    return fsum(watts) * run.period_s / SECONDS_PER_HOUR


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return fsum(numbers) / len(numbers) if numbers else 0.0
