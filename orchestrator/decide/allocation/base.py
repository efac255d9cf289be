"""What every strategy is given and gives back, and the one way to share in proportion that several of them use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from math import fsum, inf
from typing import Final

from msgspec import Struct, field

from orchestrator.config.sections import FewestUnitsConfig
from orchestrator.reason import Reason, because

NOT_REACHABLE: Final = because("not_reachable")


class Bound(StrEnum):
    """What keeps a battery from doing more than it does."""

    NOTHING = ""
    POWER = "power"
    FULL = "full"
    EMPTY = "empty"
    AWAY = "away"
    LOAD_LIMIT = "load limit"


class BatteryUse(Struct, frozen=True):
    """How a battery was used under `fewest_units`.

    `running` since (or at rest since) `switched_at_s`, monotonic; `used_s` is how long it had power in total.
    """

    running: bool = False
    switched_at_s: float = -inf
    used_s: float = 0.0


NEVER_USED: Final = BatteryUse()


class AllocatableBattery(Struct, frozen=True):
    """What allocation needs to know of one battery. Powers are magnitudes in W, >= 0; SoC 0 to 100, None unknown.

    `charge_max_watts` and `discharge_max_watts` are what it can do now (device, configuration and rate limits taken
    together). A battery that is not reachable, or not below `soc_max_percent`, takes no charge; likewise for discharge.
    It is asked for nothing, or for `least_watts` at least. `away` says why it is not reachable. `rated_watts` is the AC
    rating of its inverter, `use` what is remembered of it; only `fewest_units` looks at these two.
    """

    name: str
    capacity_wh: float | None
    charge_max_watts: float
    discharge_max_watts: float
    soc_percent: float | None = None
    soc_min_percent: float = 0.0
    soc_max_percent: float = 100.0
    reachable: bool = True
    away: Reason = NOT_REACHABLE
    rated_watts: float | None = None
    least_watts: float = 0.0
    use: BatteryUse = NEVER_USED

    def charge_room_watts(self) -> float:
        """How much it can be charged with now."""
        full = self.soc_percent is not None and self.soc_percent >= self.soc_max_percent
        return 0.0 if full or not self.reachable else self.charge_max_watts

    def discharge_room_watts(self) -> float:
        """How much it can be discharged with now."""
        empty = self.soc_percent is not None and self.soc_percent <= self.soc_min_percent
        return 0.0 if empty or not self.reachable else self.discharge_max_watts

    def room_watts(self, charging: bool) -> float:
        """How much it can do now in one direction."""
        return self.charge_room_watts() if charging else self.discharge_room_watts()

    def bound(self, charging: bool) -> Bound:
        """What keeps it from doing more, where it does all it can."""
        if not self.reachable:
            return Bound.AWAY
        if charging and self.charge_room_watts() == 0 < self.charge_max_watts:
            return Bound.FULL
        if not charging and self.discharge_room_watts() == 0 < self.discharge_max_watts:
            return Bound.EMPTY
        return Bound.POWER

    def binding(self, charging: bool) -> Reason:
        """The same as a reason, with its number."""
        match self.bound(charging):
            case Bound.AWAY:
                return self.away
            case Bound.FULL:
                return because("full", percent=round(self.soc_percent or 0.0, 1))
            case Bound.EMPTY:
                return because("empty", percent=round(self.soc_percent or 0.0, 1))
        return because("at_power_limit", watts=self.charge_max_watts if charging else self.discharge_max_watts)

    def size(self, charging: bool) -> float:
        """Its capacity in Wh, or its power in W where that is unknown, never below 1: what shares are measured by."""
        return max(self.capacity_wh or (self.charge_max_watts if charging else self.discharge_max_watts), 1.0)


class Ask(Struct, frozen=True):
    """`amount_watts` (>= 0) to be spread over the batteries, all in one direction. `now_s` is monotonic."""

    amount_watts: float
    batteries: Sequence[AllocatableBattery]
    charging: bool
    now_s: float = 0.0
    fewest_units: FewestUnitsConfig = field(default_factory=FewestUnitsConfig)

    def rooms_watts(self) -> dict[str, float]:
        """What each battery can do."""
        return {b.name: b.room_watts(self.charging) for b in self.batteries}


class Spread(Struct, frozen=True):
    """Magnitudes in W by battery name, and why a battery that could do more has its part.

    `running` names the batteries that run after this step, None where the strategy knows no rest.
    """

    parts_watts: Mapping[str, float]
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    running: frozenset[str] | None = None


Strategy = Callable[[Ask], Spread]


def share_by_weight(amount: float, rooms: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    """Split `amount` (>= 0) in proportion to weights (> 0), no part above its room; what one cannot take, others get.

    The parts rise with the amount and do not depend on the order of the mapping. Their sum is the lower of `amount`
    and the sum of rooms.
    """
    if fsum(rooms.values()) <= amount:
        return dict(rooms)
    parts = dict.fromkeys(rooms, 0.0)
    if amount <= 0:
        return parts
    # The narrowest for its weight first: what it cannot take is left for all that follow.
    names = [name for _, name in sorted([(room / weights[name], name) for name, room in rooms.items() if room > 0])]
    weight_left = fsum([weights[name] for name in names])
    for name in names[:-1]:
        weight = weights[name]
        part = min(amount * weight / weight_left, rooms[name]) if weight_left > 0 else 0.0
        parts[name] = part
        amount = max(amount - part, 0.0)
        weight_left -= weight
    parts[names[-1]] = min(amount, rooms[names[-1]])
    return parts
