"""The strategy `equal_soc`: the spread of the states of charge shrinks whenever power allows it, without jumps."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.decide.allocation.spread import AllocatableBattery, allocate_battery_power
from orchestrator.explain.words import say
from tests.support.records.batteries import (
    batteries,
    random_batteries,
    random_targets,
    simulate,
    spread_percent,
    targets,
)

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

EAST = AllocatableBattery("east", 10000, 5000, 5000, 50)
WEST = AllocatableBattery("west", 5000, 4000, 4000, 50)


def shares(target: float, *group: AllocatableBattery) -> list[float]:
    allocation = allocate_battery_power(target, group, "equal_soc")
    return [allocation.watts(b.name) for b in group]


@pytest.mark.parametrize("target", [3000.0, -3000.0])
def test_batteries_of_one_state_of_charge_share_by_capacity(target: float) -> None:
    assert shares(target, EAST, WEST) == pytest.approx([target * 2 / 3, target / 3])


def test_the_emptier_charges_and_the_fuller_discharges_first() -> None:
    emptier = replace(WEST, soc_percent=20.0)

    assert shares(1000, EAST, emptier) == [0, 1000]
    assert shares(-1000, EAST, emptier) == [-1000, 0]


def test_the_fuller_joins_when_the_level_reaches_it() -> None:
    emptier = replace(WEST, soc_percent=40.0)  # 10 % of 5 kWh are 500 W for an hour

    assert shares(500, EAST, emptier) == pytest.approx([0, 500])
    assert shares(2000, EAST, emptier) == pytest.approx([1000, 1000])


def test_what_the_emptier_cannot_take_goes_to_the_fuller() -> None:
    assert shares(8500, EAST, replace(WEST, soc_percent=10.0)) == pytest.approx([4500, 4000])


def test_an_unknown_state_of_charge_counts_as_the_mean_of_the_others() -> None:
    unknown = replace(WEST, name="unknown", soc_percent=None)
    known = replace(EAST, name="other", soc_percent=30.0)

    assert shares(3000, EAST, known, unknown) == pytest.approx(
        shares(3000, EAST, known, replace(unknown, soc_percent=40.0))
    )
    assert shares(1500, unknown, replace(EAST, soc_percent=None)) == pytest.approx([500, 1000])


def test_each_part_says_why() -> None:
    allocation = allocate_battery_power(500, [EAST, replace(WEST, soc_percent=20.0)], "equal_soc")

    assert say(allocation.shares["east"].reason) == "waits for the emptier ones, stands at 50 %"
    assert say(allocation.shares["west"].reason) == "share towards a common state of charge, stands at 20 %"
    discharging = allocate_battery_power(-500, [EAST, replace(WEST, soc_percent=20.0)], "equal_soc")
    assert say(discharging.shares["west"].reason) == "waits for the fuller ones, stands at 20 %"


@given(targets, batteries, st.floats(-1, 1), st.data())
def test_a_slightly_other_state_of_charge_makes_slightly_other_shares(
    target: float, group: list[AllocatableBattery], change: float, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(group) - 1))
    battery = group[index]
    if battery.soc_percent is None or not battery.soc_min_percent < battery.soc_percent < battery.soc_max_percent:
        return
    other = replace(battery, soc_percent=battery.soc_percent + change)
    if other.room_watts(target > 0) != battery.room_watts(target > 0):
        return
    sure = [replace(b, soc_percent=b.soc_percent or 0.0) for b in group]
    before = allocate_battery_power(target, [*sure[:index], battery, *sure[index + 1 :]], "equal_soc")
    after = allocate_battery_power(target, [*sure[:index], other, *sure[index + 1 :]], "equal_soc")

    per_percent_watts = battery.size(target > 0) / 100
    for each in group:
        moved = abs(after.watts(each.name) - before.watts(each.name))
        assert moved <= per_percent_watts * abs(change) * 1.001 + 1e-2


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(2, 100))
def test_the_spread_shrinks_in_every_step_in_which_power_allows_it(seed: int, count: int) -> None:
    dice = random.Random(seed)
    group = random_batteries(dice, count)
    largest = 0.5 * sum(b.charge_max_watts for b in group)
    steps = list(simulate(group, random_targets(dice, largest, 60), "equal_soc"))

    for before, after in pairwise(steps):
        charging = before.target_watts > 0
        saturated = any(abs(before.allocation.watts(b.name)) >= b.room_watts(charging) for b in before.batteries)
        spread, later = spread_percent(before.batteries), spread_percent(after.batteries)
        if saturated:
            continue
        assert later <= spread + 1e-9
        extreme = min if charging else max
        outermost = extreme(before.batteries, key=lambda b: b.soc_percent or 0.0)
        if spread > 0.1 and abs(before.target_watts) > 1:
            assert before.allocation.watts(outermost.name) != 0


@pytest.mark.parametrize("seed", range(4))
def test_a_day_of_random_targets_brings_the_batteries_together(seed: int) -> None:
    dice = random.Random(seed)
    group = random_batteries(dice, dice.randint(2, 12))
    asked = list(random_targets(dice, 0.4 * sum(b.charge_max_watts for b in group), 24 * 60))
    end = list(simulate(group, iter(asked), "equal_soc"))[-1].batteries
    by_capacity = list(simulate(group, iter(asked), "capacity"))[-1].batteries

    assert spread_percent(end) < 0.25 * spread_percent(group)
    assert spread_percent(end) < 0.5 * spread_percent(by_capacity) + 1
