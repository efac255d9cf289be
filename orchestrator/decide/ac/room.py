"""The room for AC power, handed out to the inverters by what each can produce.

    sum(ac_watts) <= load_watts + export_limit_watts

The limit of an inverter holds its AC output only, discharge included: behind it the PV of a hybrid goes on charging its
battery. What batteries draw from AC makes room for as much AC of others. One percentage for all would leave the room
of a shaded inverter unused, so commanded discharge comes first, then what unthrottled inverters make, then throttled
inverters without a battery, then throttled hybrids (they can store theirs), then everybody, by nameplate within each.
What throttled hybrids make goes to those without a battery step by step (`tries`): it is missing if these cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum, inf
from types import MappingProxyType
from typing import Final

from orchestrator.decide.ac.curtailment import taken_from_ac
from orchestrator.decide.ac.displaced import may_displace
from orchestrator.decide.ac.tries import follows_its_limit, reach_watts, tried_watts
from orchestrator.decide.allocation.spread import share_by_weight
from orchestrator.decide.following import Disobeys
from orchestrator.decide.plant.units import Plant, Unit

HEADROOM_PART_OF_RATING = 0.03
"""An unthrottled inverter may make this much more than it does, beside the room; that ends hunting."""

HEADROOM_PART_OF_SITE = 0.01
HEADROOM_PART_OF_SITE_UNTHROTTLED = 0.02
"""All of that together, as a part of nameplate; more while none is throttled and batteries could take more."""

SIGHT_PART_OF_RATING = 0.015
"""What an inverter without any output may make, so that it shows whether there is sun: more than counts as nothing, and
together with the headroom of the others at most 2 % of nameplate."""

UNUSED_PART_OF_SITE = 0.02
"""Where more than this part of nameplate is imported beside throttled PV, some have room and no sun for it."""

COULD_STORE_PART = 0.95
"""A battery that takes less than this part of its charge limit could take more; the rest is losses."""

FULL_PART_OF_SITE = 0.005
"""Batteries that charge, and can take no more than this part of nameplate on top, are full: what hybrids make less is
lost."""

NOTHING_MADE: Final[Mapping[str, float]] = MappingProxyType({})

GONE_LEAST_PART_OF_SITE = 0.03
"""Charging that falls by less than this part of nameplate takes no room in the same step."""

MARGIN_PART_OF_RATING = 0.001
MARGIN_MOST_WATTS = 20.0
"""What is left free below the export limit, so that noise does not pass it."""


def room_for_ac(
    plant: Plant,
    *,
    load_watts: float,
    export_limit_watts: float | None,
    generation_limit_watts: float | None,
    fed_watts: float = 0.0,
) -> float | None:
    """The most that all positive AC power together may be, in W; None where nothing limits it.

    `fed_watts` is what batteries are about to take from AC in this step, on top of what they are seen to take; negative
    where they are about to take less.
    """
    rooms = []
    if export_limit_watts is not None:
        margin = min(MARGIN_PART_OF_RATING * plant.rating_watts, MARGIN_MOST_WATTS)
        rooms.append(load_watts + export_limit_watts + plant.drawn_watts + fed_watts - margin)
    if generation_limit_watts is not None:
        rooms.append(generation_limit_watts)
    return max(min(rooms), 0.0) if rooms else None


def is_binding(plant: Plant, room_watts: float | None) -> bool:
    """Whether AC power is being limited: an inverter stands at its limit, or more is made than there is room for."""
    if room_watts is None:
        return False
    return plant.generated_watts > room_watts or any(u.throttled for u in plant.units if u.limitable)


def newly_fed_watts(plant: Plant, targets_watts: Mapping[str, float]) -> float:
    """How much more batteries are about to take from AC. One that stopped following counts only as far as it does.

    Nothing of what own PV may still bring behind an open window.
    """
    before = taken_from_ac(plant, {b.name: b.watts for b in plant.batteries})
    after = taken_from_ac(plant, targets_watts)
    left_out = {
        u.name
        for u in plant.units
        if Disobeys.STALLED in u.memory.following.states or u.waits_for_own_pv(targets_watts.get(u.name, 0.0))
    }
    return fsum(max(after[name] - before[name], 0.0) for name in after if name not in left_out)


def no_longer_drawn_watts(plant: Plant, targets_watts: Mapping[str, float]) -> float:
    """How much less batteries are about to draw from AC, in W: room that goes with it, in the same step.

    Nothing where it is little: that is noise, or a battery asked for what it takes, and the next step sees it.
    """
    watts = fsum(
        min(-u.ac_watts, max(u.battery.watts - max(targets_watts.get(u.name, 0.0), 0.0), 0.0))
        for u in plant.units
        if u.battery is not None and u.ac_watts < 0 and Disobeys.STUBBORN not in u.memory.following.states
    )
    return watts if watts > GONE_LEAST_PART_OF_SITE * plant.rating_watts else 0.0


def hand_out_room(
    plant: Plant,
    room_watts: float,
    targets_watts: Mapping[str, float],
    expected: Mapping[str, float],
    *,
    dt_s: float = inf,
    displacing: bool = False,
    made_watts: Mapping[str, float] = NOTHING_MADE,
    import_watts: float = 0.0,
    storable_watts: float = inf,
    caps_watts: Mapping[str, float] = NOTHING_MADE,
) -> dict[str, float]:
    """AC limit in W for each inverter that can be limited. Their sum is within the room, apart from the headroom.

    `targets_watts` are those of the batteries (charging +), `expected` the AC power that each inverter makes with them;
    `import_watts` is what surely comes from the grid now, `storable_watts` what all batteries together may take on top.
    A throttled inverter takes no more out of its turn than its limit can rise by in `dt_s`: what it cannot use yet must
    not be missed by another that can.
    """
    units = [u for u in plant.units if u.limitable]
    discharges = {u.name: min(max(-targets_watts.get(u.name, 0.0), 0.0), expected[u.name]) for u in units}
    steady = {u.name: max(expected[u.name] - discharges[u.name], 0.0) for u in units if not u.throttled}
    shares = _Shares(units, max(room_watts - _taken_by_others(plant, expected), 0.0), caps_watts)
    shares.give(discharges, discharges)
    if displacing:
        steady |= {u.name: max(u.ac_watts - discharges[u.name], 0.0) for u in units if may_displace(u)}
    shares.give(steady, steady)
    if shares.left_watts:
        unused = import_watts > UNUSED_PART_OF_SITE * plant.rating_watts
        throttled = [u for u in units if u.throttled]
        full = storable_watts <= FULL_PART_OF_SITE * plant.rating_watts < plant.battery_watts
        _give_throttled(shares, throttled, dt_s, made_watts, import_watts, unused=unused, full=full)
    if displacing:
        shares.give_up_to(shares.ratings_watts, [u for u in units if may_displace(u)])
    shares.give_up_to(shares.ratings_watts, units)
    with_headroom = _with_headroom(plant, units, shares.limits_watts, expected)
    return _with_sight(plant, units, with_headroom) if plant.battery_watts < 0 else with_headroom


class _Shares:
    """The room while it is handed out, in W: what each has by now, and what is left."""

    def __init__(self, units: Sequence[Unit], room_watts: float, caps_watts: Mapping[str, float]) -> None:
        self.left_watts = room_watts
        self._caps_watts = caps_watts
        self.limits_watts = dict.fromkeys((u.name for u in units), 0.0)
        self.ratings_watts = {u.name: u.rating_watts or 0.0 for u in units}
        if caps_watts:
            self.ratings_watts = {n: min(w, caps_watts.get(n, inf)) for n, w in self.ratings_watts.items()}

    def give(self, wants: Mapping[str, float], weights: Mapping[str, float]) -> None:
        """Give each what it wants on top of what it has; in proportion to `weights` where not enough is left."""
        if self._caps_watts:
            left = {name: max(most - self.limits_watts[name], 0.0) for name, most in self.ratings_watts.items()}
            wants = {name: min(watts, left[name]) for name, watts in wants.items()}
        if not self.left_watts or not any(wants.values()):
            return
        given = share_by_weight(self.left_watts, wants, _at_least_one(weights))
        for name, watts in given.items():
            self.limits_watts[name] += watts
        self.left_watts = max(self.left_watts - fsum(given.values()), 0.0)

    def give_up_to(self, most: Mapping[str, float], tier: Sequence[Unit]) -> None:
        """Fill each of `tier` up to `most`, by nameplate."""
        if self.left_watts and tier:
            self.give({u.name: max(most[u.name] - self.limits_watts[u.name], 0.0) for u in tier}, self.ratings_watts)


def _give_throttled(
    shares: _Shares,
    throttled: Sequence[Unit],
    dt_s: float,
    made: Mapping[str, float],
    import_watts: float,
    *,
    unused: bool,
    full: bool,
) -> None:
    """Those without a battery before hybrids; first what their limits can rise to in `dt_s`, then up to the ratings.

    What hybrids make now goes to others step by step only: nobody knows whether these can make it, and it would be
    imported while they cannot. Where batteries are `full` it stays where it is: nothing is won by it.
    """
    ratings = shares.ratings_watts
    reach = {u.name: max(reach_watts(u, dt_s, unused=unused), made.get(u.name, 0.0)) for u in throttled}
    within_reach = {name: min(watts, ratings[name]) for name, watts in reach.items()}
    pv_only, hybrids = [u for u in throttled if u.battery is None], [u for u in throttled if u.battery]
    tried_s = 0.0 if full and hybrids else min(dt_s, 1.0)
    further = {
        u.name: _settles_at_watts(u) + tried_watts(u, ratings[u.name], hybrids, import_watts) * tried_s for u in pv_only
    }
    one_step = {name: min(max(watts, made.get(name, 0.0)), ratings[name]) for name, watts in further.items()}
    shares.give_up_to(one_step, pv_only)
    shares.give_up_to({u.name: max(_settles_at_watts(u), 0.0) for u in hybrids}, hybrids)
    for most in (within_reach, ratings):
        shares.give_up_to(most, pv_only)
        shares.give_up_to(most, hybrids)


def _settles_at_watts(unit: Unit) -> float:
    """What it makes, or what its limit is about to leave of that."""
    return min(unit.ac_watts, unit.limit_watts)


def _with_sight(plant: Plant, units: Sequence[Unit], limits: Mapping[str, float]) -> dict[str, float]:
    """Let PV that a limit holds at 0 show itself, beside the room, while batteries discharge at least as much.

    Behind such a limit day and night look alike, and commanded discharge would keep the room for good.
    """
    hidden = {u.name: u.rating_watts or 0.0 for u in units if u.throttled and not u.curtailed}
    missing = {name: max(SIGHT_PART_OF_RATING * rating - limits[name], 0.0) for name, rating in hidden.items()}
    sight = share_by_weight(-plant.battery_watts, missing, _at_least_one(hidden))
    return {name: watts + sight.get(name, 0.0) for name, watts in limits.items()}


def _at_least_one(watts: Mapping[str, float]) -> dict[str, float]:
    """Weights in proportion to `watts`, never 0."""
    return {name: max(each, 1.0) for name, each in watts.items()}


def _with_headroom(
    plant: Plant, units: list[Unit], limits: Mapping[str, float], expected: Mapping[str, float]
) -> dict[str, float]:
    """Let unthrottled inverters make a little more than they do, beside the room.

    While batteries can take more, that covers a small lack of room too: it is noise, or charging of the next step.
    """
    beside_hybrids = any(u.battery for u in units)
    unthrottled = [
        u for u in units if not u.throttled or (beside_hybrids and u.battery is None and not follows_its_limit(u))
    ]
    could_store = any(b.below_max and b.watts < COULD_STORE_PART * b.charge_max_watts for b in plant.batteries)
    free = could_store and len(unthrottled) == len(units)
    budget = (HEADROOM_PART_OF_SITE_UNTHROTTLED if free else HEADROOM_PART_OF_SITE) * plant.rating_watts
    wishes, weights = {}, {}
    for unit in unthrottled:
        rating, makes, limit = unit.rating_watts or 0.0, expected[unit.name], limits[unit.name]
        wish = min(makes + HEADROOM_PART_OF_RATING * rating, rating) - limit
        if wish > 0 and (could_store or limit >= makes - 1.0):
            wishes[unit.name], weights[unit.name] = wish, max(rating, 1.0)
    extra = share_by_weight(budget, wishes, weights)
    return {name: watts + extra.get(name, 0.0) for name, watts in limits.items()}


def expected_watts(unit: Unit, targets_watts: Mapping[str, float]) -> float:
    """What an inverter will make with its new battery target. Only less discharge is sure; more charging is not.

    One whose battery carries on whatever it is told is expected to carry on.
    """
    most = unit.rating_watts if unit.rating_watts is not None else inf
    target = targets_watts.get(unit.name)
    if target is None or unit.battery is None or Disobeys.STUBBORN in unit.memory.following.states:
        return min(max(unit.ac_watts, 0.0), most)
    change = target - unit.battery.watts
    if change > 0:
        change = min(change, max(-unit.battery.watts, 0.0))
    return min(max(unit.ac_watts - change, 0.0), most)


def not_above(found_watts: Mapping[str, float], limits_watts: Mapping[str, float]) -> dict[str, float]:
    """The same AC limits, none above the one that was found in its device; what was found without stays without."""
    held = {name: min(limits_watts.get(name, inf), watts) for name, watts in found_watts.items() if watts < inf}
    return {**limits_watts, **held}


def _taken_by_others(plant: Plant, expected: Mapping[str, float]) -> float:
    """AC power of inverters that cannot be limited: what they make, or are about to discharge."""
    return fsum(max(u.ac_watts, expected[u.name], 0.0) for u in plant.units if not u.limitable)
