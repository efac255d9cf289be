"""A site target, spread over the batteries: watts for each, and the reason for every watt.

The laws (tests/orchestrator/test_allocation.py proves them for 1 to 100 batteries): the sum is the target whenever the
batteries can do it, else the nearest they can; no battery is outside its range; never one charging while another
discharges; the order of the list does not matter; a small change of the target makes small changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum


@dataclass(frozen=True, slots=True)
class AllocatableBattery:
    """What allocation needs to know of one battery. Powers are magnitudes in W, >= 0; SoC 0 to 100, None unknown.

    `charge_max_watts` and `discharge_max_watts` are what it can do now (device, configuration and rate limits taken
    together). A battery that is not reachable, or not below `soc_max_percent`, takes no charge; likewise for discharge.
    """

    name: str
    capacity_wh: float | None
    charge_max_watts: float
    discharge_max_watts: float
    soc_percent: float | None = None
    soc_min_percent: float = 0.0
    soc_max_percent: float = 100.0
    reachable: bool = True

    def charge_room_watts(self) -> float:
        """How much it can be charged with now."""
        full = self.soc_percent is not None and self.soc_percent >= self.soc_max_percent
        return 0.0 if full or not self.reachable else self.charge_max_watts

    def discharge_room_watts(self) -> float:
        """How much it can be discharged with now."""
        empty = self.soc_percent is not None and self.soc_percent <= self.soc_min_percent
        return 0.0 if empty or not self.reachable else self.discharge_max_watts

    def binding(self, charging: bool) -> str:
        """Why it gives no more than it does, in plain words."""
        if not self.reachable:
            return "not reachable"
        if charging and self.charge_room_watts() == 0 < self.charge_max_watts:
            return f"full at {self.soc_percent:g} %"
        if not charging and self.discharge_room_watts() == 0 < self.discharge_max_watts:
            return f"empty at {self.soc_percent:g} %"
        return f"at its power limit of {self.charge_max_watts if charging else self.discharge_max_watts:.0f} W"


@dataclass(frozen=True, slots=True)
class BatteryShare:
    """The part of one battery: `watts` charging +, and why it is this much."""

    watts: float
    reason: str


@dataclass(frozen=True, slots=True)
class Allocation:
    """Shares by battery name. `unserved_watts` is the part of the target that no battery can do (sign of the target).

    `binding` names the limits that leave it unserved, "" where nothing is.
    """

    shares: Mapping[str, BatteryShare]
    unserved_watts: float = 0.0
    binding: str = ""

    def watts(self, name: str) -> float:
        """The share of one battery in W, charging +; 0 for a battery that has none."""
        share = self.shares.get(name)
        return share.watts if share else 0.0


Strategy = Callable[[float, Sequence[AllocatableBattery], bool], Mapping[str, float]]


def allocate_battery_power(
    target_watts: float, batteries: Sequence[AllocatableBattery], strategy: str = "capacity"
) -> Allocation:
    """Spread `target_watts` (site total, charging +) over the batteries. Raises ValueError for an unknown strategy."""
    if strategy not in STRATEGIES:
        raise ValueError(f"unknown allocation strategy {strategy!r}; known: {', '.join(sorted(STRATEGIES))}")
    charging = target_watts > 0
    magnitudes = STRATEGIES[strategy](abs(target_watts), batteries, charging)
    sign = 1.0 if charging else -1.0
    shares = {b.name: _share(b, magnitudes[b.name], charging) for b in batteries}
    unserved = abs(target_watts) - fsum(magnitudes.values())
    if unserved <= 1e-6 * max(abs(target_watts), 1.0):
        return Allocation(shares)
    limits = "; ".join(f"{b.name} {b.binding(charging)}" for b in sorted(batteries, key=lambda b: b.name))
    return Allocation(shares, sign * unserved, limits or "no battery")


def share_by_weight(amount: float, rooms: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    """Split `amount` (>= 0) in proportion to weights (> 0), no part above its room; what one cannot take, others get.

    The parts rise with the amount and do not depend on the order of the mapping. Their sum is the lower of `amount`
    and the sum of rooms.
    """
    parts = dict.fromkeys(rooms, 0.0)
    open_names = sorted((n for n in rooms if rooms[n] > 0), key=lambda n: (rooms[n] / weights[n], n))
    weight_left = fsum(weights[n] for n in open_names)
    for index, name in enumerate(open_names):
        part = min(amount * weights[name] / weight_left, rooms[name]) if weight_left > 0 else 0.0
        if index == len(open_names) - 1:
            part = min(amount, rooms[name])
        parts[name] = part
        amount = max(amount - part, 0.0)
        weight_left -= weights[name]
    return parts


def _by_capacity(amount: float, batteries: Sequence[AllocatableBattery], charging: bool) -> Mapping[str, float]:
    """In proportion to capacity in Wh, or to rated power where the capacity is unknown."""
    rooms = {b.name: b.charge_room_watts() if charging else b.discharge_room_watts() for b in batteries}
    weights = {
        b.name: b.capacity_wh or (b.charge_max_watts if charging else b.discharge_max_watts) or 1.0 for b in batteries
    }
    return share_by_weight(amount, rooms, weights)


STRATEGIES: Mapping[str, Strategy] = {"capacity": _by_capacity}


def _share(battery: AllocatableBattery, magnitude: float, charging: bool) -> BatteryShare:
    room = battery.charge_room_watts() if charging else battery.discharge_room_watts()
    if magnitude > 0 and magnitude < room:
        return BatteryShare(magnitude if charging else -magnitude, "share by capacity")
    if magnitude > 0:
        return BatteryShare(magnitude if charging else -magnitude, battery.binding(charging))
    return BatteryShare(0.0, battery.binding(charging) if room == 0 else "nothing asked")
