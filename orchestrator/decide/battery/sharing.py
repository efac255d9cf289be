"""The site's battery target, shared among the batteries that may take part."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import fsum, inf
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.config.sections import ControlConfig
from orchestrator.decide.allocation.spread import (
    AllocatableBattery,
    Allocation,
    BatteryShare,
    Bound,
    allocate_battery_power,
)
from orchestrator.decide.battery.command import must_rest
from orchestrator.decide.battery.drawing import beyond_own_pv_watts, drawn_watts
from orchestrator.decide.battery.own_pv import gives_up, stored_watts
from orchestrator.decide.following import Disobeys
from orchestrator.decide.plant.units import Battery, Plant, Unit
from orchestrator.reason import because
from orchestrator.setpoints.fields import SetpointFields

LOAD_LIMIT: Final = "load_limit"
AT_TARGET: Final = "at_target"
"""Codes of reasons."""

RESTS_BEFORE_TURN: Final = because("rests_before_turn")


class Sharing(Struct, frozen=True):
    """By what a target is shared in one step. `refused_watts` >= 0 is surplus that the export limit refuses.

    With more than `import_room_watts` for all batteries together (charging +) the import limit is exceeded (inf: there
    is none); `discharge_max_watts` >= 0 is the most that all may give. `levels`: batteries are to come to one state of
    charge, and AC limits may rise for it now.
    """

    control: ControlConfig
    wanted: SetpointFields
    refused_watts: float
    now_s: float
    import_room_watts: float = inf
    discharge_max_watts: float = inf
    levels: bool = False

    def spread(self, watts: float, batteries: Sequence[AllocatableBattery]) -> Allocation:
        """By the strategy of the site."""
        control = self.control
        return allocate_battery_power(
            watts, batteries, control.allocation, now_s=self.now_s, fewest_units=control.fewest_units
        )


def share_target(plant: Plant, target_watts: float, sharing: Sharing) -> Allocation:
    """Spread the target, charging +.

    Charging towards the target SoC goes to batteries below it; what they cannot take goes to the others only as far as
    the export limit refuses it. Where the power itself is asked for, it goes to all. A battery that must stay idle
    before it turns takes no part.
    What a battery goes on giving beyond its share, the others give less: never more, and never the other way. But where
    one goes on charging that is not to, and the import limit is exceeded for it, the others give so much more. One that
    stores own PV behind an AC limit of nothing keeps what it stores, unless it gives that up to level the others.
    """
    allocation = _share_among(plant, target_watts, sharing)
    others = _others_than_those_that_charge(plant, target_watts, allocation, sharing)
    if others is not None:
        return _and_to_the_others(allocation, share_target(*others, replace(sharing, import_room_watts=inf)))
    stored = _kept_watts(plant, target_watts, allocation, levels=sharing.levels)
    fixed = {
        u.name: u.battery_watts
        for u in plant.units
        if (u.name in stored or Disobeys.STUBBORN in u.memory.following.states)
        and u.battery_watts * target_watts > 0
        and abs(u.battery_watts) > abs(allocation.watts(u.name))
    }
    if not fixed:
        return allocation
    left_watts = target_watts - fsum(fixed.values())
    if left_watts * target_watts < 0:
        left_watts = 0.0
    kept = {name: replace(allocation.shares[name], watts=stored[name]) for name in fixed if name in stored}
    allocation = replace(allocation, shares={**allocation.shares, **kept})
    return _and_to_the_others(allocation, _share_among(_without(plant, fixed), left_watts, sharing))


def _kept_watts(plant: Plant, target_watts: float, allocation: Allocation, *, levels: bool) -> Mapping[str, float]:
    """What batteries keep of own PV that they store behind an AC limit of nothing, in W, whatever their shares are."""
    stored = stored_watts(plant, target_watts)
    if not levels or allocation.unserved_watts:
        return stored
    return {n: watts for n, watts in stored.items() if not gives_up(plant.unit(n), watts, allocation.watts(n))}


def _others_than_those_that_charge(
    plant: Plant, target_watts: float, allocation: Allocation, sharing: Sharing
) -> tuple[Plant, float] | None:
    """The others and their target, where batteries charge that are not to, and the import limit is exceeded for it."""
    charging = {
        u.name: u.battery_watts
        for u in plant.units
        if Disobeys.STUBBORN in u.memory.following.states and u.battery_watts > 0
    }
    needed_watts = max(sharing.import_room_watts - fsum(charging.values()), -sharing.discharge_max_watts)
    given_watts = fsum(share.watts for name, share in allocation.shares.items() if name not in charging)
    if not charging or target_watts > 0 or needed_watts >= given_watts:
        return None
    return _without(plant, charging), needed_watts


def _without(plant: Plant, names: Collection[str]) -> Plant:
    return Plant(tuple(replace(u, battery=None) if u.name in names else u for u in plant.units))


def _share_among(plant: Plant, target_watts: float, sharing: Sharing) -> Allocation:
    charging = target_watts > 0
    batteries = [_unless_resting(u, u.battery, charging, sharing.now_s) for u in plant.units if u.battery]
    if not charging:
        return sharing.spread(target_watts, batteries)
    by_watts = sharing.wanted.battery_target_watts is not None
    chargeable = batteries if by_watts else [_unless_above_target(battery) for battery in batteries]
    allocation = sharing.spread(target_watts, chargeable)
    served = fsum(share.watts for share in allocation.shares.values())
    rest = min(target_watts - served, max(sharing.refused_watts - served, 0.0))
    if rest > 0:
        above = [battery for battery in batteries if not battery.below_target]
        allocation = _and_to_the_others(allocation, sharing.spread(rest, above))
    load_limit = sharing.wanted.load_limit_watts
    if load_limit is not None:
        left_watts = max(load_limit - _drawn_by_others(plant, allocation), 0.0)
        allocation = _hold_drawn(plant, allocation, left_watts)
    return allocation


def _drawn_by_others(plant: Plant, allocation: Allocation) -> float:
    """What inverters draw from AC whose batteries have no share, in W: they are not ours, or do not obey."""
    return fsum(max(-u.ac_watts, 0.0) for u in plant.units if u.name not in allocation.shares)


def _unless_resting(unit: Unit, battery: Battery, charging: bool, now_s: float) -> Battery:
    return battery.held_back(RESTS_BEFORE_TURN) if must_rest(unit, charging, now_s) else battery


def _unless_above_target(battery: Battery) -> Battery:
    """Charging towards the target is not for a battery above it. A full one is full."""
    if battery.below_target or not battery.below_max or not battery.reachable:
        return battery
    return battery.held_back(because(AT_TARGET, percent=battery.soc_target_percent))


def _and_to_the_others(first: Allocation, second: Allocation) -> Allocation:
    """Both together: what `second` says of a battery counts."""
    running = first.running
    if running is not None and second.running is not None:
        running = (running - second.shares.keys()) | second.running
    return Allocation({**first.shares, **second.shares}, second.unserved_watts, second.binding, running)


def _hold_drawn(plant: Plant, allocation: Allocation, limit_watts: float) -> Allocation:
    """Hold the sum of what is drawn from AC for charging to a limit, all by the same part."""
    total = fsum(drawn_watts(plant.unit(name), share.watts) for name, share in allocation.shares.items())
    if total <= limit_watts:
        return allocation
    beyond = {name: beyond_own_pv_watts(plant.unit(name), share.watts) for name, share in allocation.shares.items()}
    cut = 1 - limit_watts / total
    reason = because(LOAD_LIMIT, watts=limit_watts)
    shares = {
        name: BatteryShare(share.watts - beyond[name] * cut, reason, Bound.LOAD_LIMIT) if beyond[name] > 0 else share
        for name, share in allocation.shares.items()
    }
    return Allocation(shares, cut * fsum(beyond.values()), (reason,), allocation.running)
