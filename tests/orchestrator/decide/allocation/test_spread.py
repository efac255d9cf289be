"""The laws of spreading a target over 1 to 100 batteries, for each strategy, and the numbers of the first issue."""

from __future__ import annotations

from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decide.allocation.spread import STRATEGIES, AllocatableBattery, allocate_battery_power
from orchestrator.explain.words import say, say_all
from tests.support.records.batteries import NOW_S, batteries, targets

EAST = AllocatableBattery("east", 10000, 5000, 5000, 50)
WEST = AllocatableBattery("west", 5000, 4000, 4000, 50)


def shares(target: float, *batteries: AllocatableBattery) -> list[float]:
    allocation = allocate_battery_power(target, batteries)
    return [allocation.watts(b.name) for b in batteries]


@pytest.mark.parametrize("target", [3000.0, -3000.0])
def test_two_batteries_share_by_capacity(target: float) -> None:
    assert shares(target, EAST, WEST) == pytest.approx([target * 2 / 3, target / 3])


def test_what_one_at_its_power_limit_cannot_take_goes_to_the_other() -> None:
    assert shares(8400, EAST, WEST) == pytest.approx([5000, 3400])


def test_a_full_battery_takes_nothing_and_says_so() -> None:
    full = AllocatableBattery("east", 10000, 5000, 5000, soc_percent=95, soc_max_percent=95)
    allocation = allocate_battery_power(3000, [full, WEST])

    assert allocation.watts("west") == 3000
    assert say(allocation.shares["east"].reason) == "full at 95 %"
    assert shares(-3000, full, WEST) == pytest.approx([-2000, -1000])


def test_an_empty_battery_gives_nothing() -> None:
    empty = AllocatableBattery("west", 5000, 4000, 4000, soc_percent=10, soc_min_percent=10)
    assert shares(-3000, EAST, empty) == [-3000, 0]
    assert shares(3000, EAST, empty) == pytest.approx([2000, 1000])


def test_what_nobody_can_take_is_named() -> None:
    allocation = allocate_battery_power(20000, [EAST, WEST])

    assert allocation.unserved_watts == pytest.approx(11000)
    assert say_all(allocation.binding) == (
        "east at its power limit of 5000 W",
        "west at its power limit of 4000 W",
    )
    assert allocate_battery_power(-100, []).unserved_watts == -100


def test_rated_power_stands_in_for_an_unknown_capacity() -> None:
    unknown = AllocatableBattery("unknown", None, 5000, 5000)
    assert shares(1500, EAST, unknown) == pytest.approx([1000, 500])


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        allocate_battery_power(1000, [EAST], "by colour")


every_strategy = pytest.mark.parametrize("strategy", sorted(STRATEGIES))


def room(battery: AllocatableBattery, target: float) -> float:
    return battery.charge_room_watts() if target > 0 else battery.discharge_room_watts()


@every_strategy
@given(targets, batteries)
def test_the_sum_is_the_target_or_the_nearest_that_is_possible(
    strategy: str, target: float, group: list[AllocatableBattery]
) -> None:
    allocation = allocate_battery_power(target, group, strategy, now_s=NOW_S)
    total = fsum(share.watts for share in allocation.shares.values())
    possible = min(abs(target), fsum(room(b, target) for b in group))

    assert abs(total) == pytest.approx(possible, abs=1e-3)
    assert total + allocation.unserved_watts == pytest.approx(target, abs=1e-3)
    assert bool(allocation.binding) == (abs(allocation.unserved_watts) > 0)


@every_strategy
@given(targets, batteries)
def test_no_battery_is_outside_its_range_and_none_works_against_another(
    strategy: str, target: float, group: list[AllocatableBattery]
) -> None:
    allocation = allocate_battery_power(target, group, strategy, now_s=NOW_S)

    for battery in group:
        watts = allocation.watts(battery.name)
        assert abs(watts) <= room(battery, target) + 1e-6
        assert watts == 0 or (watts > 0) == (target > 0)


@every_strategy
@given(targets, batteries, st.data())
def test_the_order_of_the_list_does_not_matter(
    strategy: str, target: float, group: list[AllocatableBattery], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(group))
    first = allocate_battery_power(target, group, strategy, now_s=NOW_S)
    second = allocate_battery_power(target, shuffled, strategy, now_s=NOW_S)

    for battery in group:
        assert first.watts(battery.name) == pytest.approx(second.watts(battery.name), abs=1e-6)


@pytest.mark.parametrize("strategy", ["capacity", "equal_soc"])
@given(targets, st.floats(-50, 50), batteries)
def test_a_small_change_of_the_target_makes_small_changes(
    strategy: str, target: float, change: float, group: list[AllocatableBattery]
) -> None:
    if (target > 0) != (target + change > 0):
        return
    before = allocate_battery_power(target, group, strategy)
    after = allocate_battery_power(target + change, group, strategy)

    moved = [after.watts(b.name) - before.watts(b.name) for b in group]
    assert fsum(abs(m) for m in moved) <= abs(change) + 1e-3


@given(st.floats(1, 1e5), batteries)
def test_unsaturated_batteries_share_in_proportion_to_capacity(target: float, group: list[AllocatableBattery]) -> None:
    allocation = allocate_battery_power(target, group)
    ratios = [
        allocation.watts(b.name) / b.capacity_wh
        for b in group
        if b.capacity_wh and 0 < allocation.watts(b.name) < room(b, target) - 1e-3
    ]
    if ratios:
        assert max(ratios) == pytest.approx(min(ratios), rel=1e-6, abs=1e-9)
