"""What one second could have been with perfect knowledge of light, load and batteries: the reference for measures.

It decides for this second alone, from the states of charge as they are, and knows no lag: nothing real can be better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, inf

from orchestrator.config.simulation import InverterSimulation
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.values import PriorityMode
from orchestrator.simulation.physics import (
    NO_BATTERY,
    Controls,
    PowerRange,
    PowerState,
    battery_range,
    to_ac,
    to_dc,
    to_draw,
)

MOMENT_S = 1.0


@dataclass(frozen=True, slots=True)
class Ideal:
    """All in W. `curtailed_watts` of PV cannot be used and `imported_watts` cannot be avoided, whoever decides.

    `pv_watts` is the PV that can be used. `export_watts` and `battery_watts` (at the AC side, charging +) are what the
    priority mode and the limits ask for.
    """

    pv_watts: float
    curtailed_watts: float
    imported_watts: float
    export_watts: float
    battery_watts: float


@dataclass(frozen=True, slots=True)
class Part:
    """What one inverter can do, in W.

    `most_ac` from its PV while nothing charges, `least_ac` (of `least_dc` PV) while its battery charges all it can;
    `clipped` PV is lost even then. `drawn` from AC can go into the battery beside its own PV; `discharged` comes on
    top of `most_ac`.
    """

    most_ac: float
    least_ac: float
    least_dc: float
    clipped: float
    drawn: float
    discharged: float


def ideal(
    inverters: Sequence[InverterSimulation], powers: Sequence[PowerState], load_watts: float, wanted: SetpointFields
) -> Ideal:
    """The best second within the limits of `wanted`.

    Where charging from the grid is asked for, import is no loss: all of it counts as unavoidable.
    """
    parts = parts_of(inverters, powers, wanted)
    light = fsum(state.pv_available_watts for state in powers)
    most, least = fsum(p.most_ac for p in parts), fsum(p.least_ac for p in parts)
    drawn = fsum(p.drawn for p in parts)
    export_limit, generation = _limit(wanted.export_limit_watts), _limit(wanted.generation_limit_watts)
    refused = max(least - min(load_watts + export_limit + drawn, generation), 0.0)
    # PV is curtailed before the converter, so a little more of it than what AC loses.
    curtailed = fsum(p.clipped for p in parts) + (refused * fsum(p.least_dc for p in parts) / least if refused else 0.0)
    supply = min(most + fsum(p.discharged for p in parts), generation)
    return Ideal(
        pv_watts=light - curtailed,
        curtailed_watts=curtailed,
        imported_watts=inf if wanted.battery_grid_charging_enabled else max(load_watts - supply, 0.0),
        export_watts=_exported(
            wanted, export_limit, most - load_watts, least - drawn - load_watts, supply - load_watts
        ),
        battery_watts=stored_watts(wanted, export_limit, most - load_watts, most - least + drawn, supply - most),
    )


def parts_of(
    inverters: Sequence[InverterSimulation], powers: Sequence[PowerState], wanted: SetpointFields
) -> list[Part]:
    """What each inverter can do. What is asked of all batteries together is spread by what each can do."""
    ranges = [_battery(inverter, state, wanted) for inverter, state in zip(inverters, powers, strict=True)]
    charging = _part_allowed(wanted.battery_charge_max_watts, fsum(each.high_watts for each in ranges))
    discharging = _part_allowed(wanted.battery_discharge_max_watts, -fsum(each.low_watts for each in ranges))
    return [
        _part(
            inverter,
            state,
            PowerRange(discharging * possible.low_watts, charging * possible.high_watts),
            on_grid=wanted.connect is not False and wanted.energize is not False,
        )
        for inverter, state, possible in zip(inverters, powers, ranges, strict=True)
    ]


def _part_allowed(limit_watts: float | None, possible_watts: float) -> float:
    return 1.0 if limit_watts is None or possible_watts <= limit_watts else limit_watts / possible_watts


def _part(inverter: InverterSimulation, state: PowerState, possible: PowerRange, *, on_grid: bool) -> Part:
    light, rating = state.pv_available_watts, inverter.ac_rating_watts if on_grid else 0.0
    own = min(light, possible.high_watts)
    most_ac = min(to_ac(inverter, light), rating)
    least_ac = min(to_ac(inverter, light - own), rating)
    return Part(
        most_ac=most_ac,
        least_ac=least_ac,
        least_dc=to_dc(inverter, least_ac),
        clipped=light - own - to_dc(inverter, least_ac),
        drawn=min(to_draw(inverter, possible.high_watts - own), rating),
        discharged=min(to_ac(inverter, light - possible.low_watts), rating) - most_ac,
    )


def _battery(inverter: InverterSimulation, state: PowerState, wanted: SetpointFields) -> PowerRange:
    """What the battery can do, within its own limits and the SoC limits that are asked for."""
    battery = inverter.battery
    if battery is None or wanted.energize is False:
        return NO_BATTERY
    reserve = max(battery.reserve_percent, wanted.battery_soc_min_percent or 0.0)
    whole = battery_range(battery, Controls(reserve_percent=reserve), state.stored_wh, MOMENT_S)
    possible = whole.within(state.accepted)
    soc_percent = 100.0 * state.stored_wh / battery.capacity_wh
    full = wanted.battery_soc_max_percent is not None and soc_percent >= wanted.battery_soc_max_percent
    return PowerRange(
        low_watts=possible.low_watts * _rate(wanted.battery_discharge_rate_percent),
        high_watts=0.0 if full else possible.high_watts * _rate(wanted.battery_charge_rate_percent),
    )


def _exported(wanted: SetpointFields, limit: float, unstored: float, stored: float, supply: float) -> float:
    """What should be exported: `unstored` is left where nothing charges, `stored` where all that can charges."""
    left = unstored if wanted.battery_priority_mode == PriorityMode.EXPORT_FIRST else stored
    target = min(wanted.battery_export_target_watts or 0.0, max(supply, 0.0))
    return min(max(left, target, 0.0), limit)


def stored_watts(wanted: SetpointFields, limit: float, surplus: float, absorbed: float, discharged: float) -> float:
    """What batteries should do: give for a deficit, take of a surplus what the priority mode leaves them."""
    if surplus < 0:
        return -min(-surplus, discharged)
    first = wanted.battery_priority_mode == PriorityMode.EXPORT_FIRST
    return min(max(surplus - limit, 0.0) if first else surplus, absorbed)


def _limit(watts: float | None) -> float:
    return inf if watts is None else watts


def _rate(percent: float | None) -> float:
    return 1.0 if percent is None else percent / 100
