"""What the plant could do from here: its headroom up and down, and the power that keeps its batteries together.

Headroom is measured in AC power of the site. It is what is sure: PV that a limit hides is not counted as headroom up,
because nobody knows what it could make. Limits of the site (export, import) are not counted: they are in `limits`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum, inf
from types import MappingProxyType

from msgspec import Struct, field

from orchestrator.commands import BatteryMode, InverterCommand
from orchestrator.decide.allocation.spread import AllocatableBattery, Bound
from orchestrator.decide.memory import Response
from orchestrator.decide.plant.response import NEVER_SEEN, Look, watch_response
from orchestrator.decide.plant.units import Plant, Unit

_TARGETS = (BatteryMode.CHARGE, BatteryMode.DISCHARGE, BatteryMode.IDLE)


def live_numbers(plant: Plant, responses: Mapping[str, Response]) -> LiveNumbers:
    """The numbers of one cycle, from what is seen now and what was learned before."""
    inverters = {u.name: _of_inverter(u, responses.get(u.name)) for u in plant.units}
    return LiveNumbers(
        headroom_up_watts=fsum(each.headroom_up_watts for each in inverters.values()),
        headroom_down_watts=fsum(each.headroom_down_watts for each in inverters.values()),
        balanced_charge_watts=balanced_watts(plant.batteries, charging=True),
        balanced_discharge_watts=balanced_watts(plant.batteries, charging=False),
        inverters=inverters,
    )


def learn_responses(
    before: Mapping[str, Response], plant: Plant, commands: Sequence[InverterCommand], now_s: float
) -> dict[str, Response]:
    """What is known of each inverter after this cycle; of those that are away it stays."""
    orders = {command.inverter: command for command in commands}
    after = dict(before)
    for unit in plant.units:
        if unit.name in orders:
            after[unit.name] = watch_response(before.get(unit.name, NEVER_SEEN), _look(unit, orders[unit.name], now_s))
    return after


def _look(unit: Unit, command: InverterCommand, now_s: float) -> Look:
    """The battery is watched where it is commanded, else AC power that a limit brings down."""
    at_s, battery = unit.sample.at_s, unit.battery
    if battery is not None and command.battery is not None:
        target = command.battery.watts if command.battery.mode in _TARGETS else None
        return Look(battery.watts, at_s, target, now_s, max(battery.charge_max_watts, battery.discharge_max_watts, 1.0))
    limit = unit.rating_watts if command.ac_limit_watts is None else command.ac_limit_watts
    target = None if limit is None else min(limit, max(unit.ac_watts, 0.0))
    return Look(unit.ac_watts, at_s, target, now_s, unit.rating_watts or 1.0)


def balanced_watts(batteries: Sequence[AllocatableBattery], *, charging: bool) -> float | None:
    """The most that all batteries together can hold while their states of charge move by the same percent.

    The weakest for its size decides. Batteries that are full (or empty, for discharging) are left out: they have left
    the others already. None without any battery.
    """
    if not batteries:
        return None
    able = [b for b in batteries if b.bound(charging) is Bound.POWER]
    pace = min((b.room_watts(charging) / b.size(charging) for b in able), default=0.0)
    return pace * fsum(b.size(charging) for b in able)


def _of_inverter(unit: Unit, response: Response | None) -> InverterNumbers:
    return InverterNumbers(
        headroom_up_watts=_up_watts(unit),
        headroom_down_watts=_down_watts(unit),
        response_s=response.learned_s if response else None,
    )


def _up_watts(unit: Unit) -> float:
    """How much more AC power it could give: its battery charges less, or discharges more, up to its rating."""
    battery = unit.battery
    if battery is None:
        return 0.0
    most = inf if unit.rating_watts is None else unit.rating_watts - unit.ac_watts
    return max(min(battery.discharge_room_watts() + battery.watts, most), 0.0)


def _down_watts(unit: Unit) -> float:
    """How much less: its battery takes more, and a limit takes away what it still makes then.

    Behind an inverter that is held back, PV that is hidden may feed the battery, and AC power stays what it is.
    """
    battery = unit.battery
    taken = 0.0
    if battery is not None and not unit.throttled:
        taken = max(battery.charge_room_watts() - battery.watts, 0.0)
    return max(taken, unit.ac_watts, 0.0) if unit.limitable else taken


class InverterNumbers(Struct, frozen=True):
    """What one inverter could do from here, in W of AC power >= 0, and how long it takes to do it (None: unknown)."""

    headroom_up_watts: float = 0.0
    headroom_down_watts: float = 0.0
    response_s: float | None = None


class LiveNumbers(Struct, frozen=True):
    """What the plant could do from here, in W >= 0; see `live_numbers`.

    `headroom_up_watts` is how much more AC power it could give, `headroom_down_watts` how much less.
    `balanced_charge_watts` and `balanced_discharge_watts` are what the batteries can hold while their states of charge
    stay together, None without batteries.
    """

    headroom_up_watts: float | None = None
    headroom_down_watts: float | None = None
    balanced_charge_watts: float | None = None
    balanced_discharge_watts: float | None = None
    inverters: Mapping[str, InverterNumbers] = field(default_factory=lambda: MappingProxyType({}))
