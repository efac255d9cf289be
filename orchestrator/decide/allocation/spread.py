"""A site target, spread over the batteries: watts for each, and the reason for every watt.

The laws (its tests prove them for 1 to 100 batteries): the sum is the target whenever the batteries can do it, else
the nearest they can; no battery is outside its range; never one charging while another discharges; the order of the
list does not matter; a small change of the target makes small changes (`fewest_units`: but where it switches a
battery). How it is spread is a strategy, one module of this folder each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Final

from msgspec import Struct

from orchestrator.config.sections import FewestUnitsConfig
from orchestrator.decide.allocation.base import (
    NEVER_USED,
    AllocatableBattery,
    Ask,
    BatteryUse,
    Bound,
    Spread,
    Strategy,
    share_by_weight,
)
from orchestrator.decide.allocation.capacity import by_capacity
from orchestrator.decide.allocation.equal_soc import to_equal_soc
from orchestrator.decide.allocation.fewest_units import on_fewest_units
from orchestrator.decide.allocation.least import spread_worth_asking
from orchestrator.reason import Reason, because

__all__ = [
    "NEVER_USED",
    "NOTHING_ASKED",
    "STRATEGIES",
    "AllocatableBattery",
    "Allocation",
    "BatteryShare",
    "BatteryUse",
    "Bound",
    "allocate_battery_power",
    "share_by_weight",
]

NOTHING_ASKED: Final = because("nothing_asked")
NO_BATTERY: Final = because("no_battery")

STRATEGIES: Mapping[str, Strategy] = {
    "capacity": by_capacity,
    "equal_soc": to_equal_soc,
    "fewest_units": on_fewest_units,
}


class BatteryShare(Struct, frozen=True):
    """The part of one battery: `watts` charging +, why it is this much, and what keeps it from more."""

    watts: float
    reason: Reason
    bound: Bound = Bound.NOTHING


class Allocation(Struct, frozen=True):
    """Shares by battery name. `unserved_watts` is the part of the target that no battery can do (sign of the target).

    `binding` is what leaves it unserved, of each battery; () where nothing is. `running` names the batteries that run
    under a strategy that lets others rest, None under the others.
    """

    shares: Mapping[str, BatteryShare]
    unserved_watts: float = 0.0
    binding: tuple[Reason, ...] = ()
    running: frozenset[str] | None = None

    def watts(self, name: str) -> float:
        """The share of one battery in W, charging +; 0 for a battery that has none."""
        share = self.shares.get(name)
        return share.watts if share else 0.0


def allocate_battery_power(
    target_watts: float,
    batteries: Sequence[AllocatableBattery],
    strategy: str = "capacity",
    *,
    now_s: float = 0.0,
    fewest_units: FewestUnitsConfig | None = None,
) -> Allocation:
    """Spread `target_watts` (site total, charging +) over the batteries. Raises ValueError for an unknown strategy.

    `now_s` (monotonic) and `fewest_units` matter to that strategy only.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"unknown allocation strategy {strategy!r}; known: {', '.join(sorted(STRATEGIES))}")
    charging = target_watts > 0
    ask = Ask(abs(target_watts), batteries, charging, now_s, fewest_units or FewestUnitsConfig())
    spread = spread_worth_asking(STRATEGIES[strategy], ask)
    shares = {b.name: _share(b, spread, charging) if target_watts else _nothing_asked(b) for b in batteries}
    unserved = abs(target_watts) - fsum(spread.parts_watts.values())
    if unserved <= 1e-6 * max(abs(target_watts), 1.0):
        return Allocation(shares, running=spread.running)
    return Allocation(shares, unserved if charging else -unserved, _binding(batteries, charging), spread.running)


def _binding(batteries: Sequence[AllocatableBattery], charging: bool) -> tuple[Reason, ...]:
    """What keeps each from doing more, by name."""
    ordered = sorted(batteries, key=lambda b: b.name)
    return tuple(because("of_battery", name=b.name, why=b.binding(charging)) for b in ordered) or (NO_BATTERY,)


def _nothing_asked(battery: AllocatableBattery) -> BatteryShare:
    """A battery without a task. One that is full or empty or away says so: that may be why there is none."""
    for charging in (True, False):
        bound = battery.bound(charging)
        if bound is not Bound.POWER:
            return BatteryShare(0.0, battery.binding(charging), bound)
    return BatteryShare(0.0, NOTHING_ASKED)


def _share(battery: AllocatableBattery, spread: Spread, charging: bool) -> BatteryShare:
    magnitude = spread.parts_watts[battery.name]
    watts = magnitude if charging else -magnitude
    if magnitude >= battery.room_watts(charging):
        return BatteryShare(watts if magnitude else 0.0, battery.binding(charging), battery.bound(charging))
    return BatteryShare(watts if magnitude else 0.0, spread.reasons.get(battery.name, NOTHING_ASKED))
