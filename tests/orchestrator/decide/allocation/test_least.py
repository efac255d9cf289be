"""A battery is asked for nothing, or for what it is worth asking for."""

from __future__ import annotations

from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.decide.allocation.spread import STRATEGIES, AllocatableBattery, allocate_battery_power
from tests.support.records.batteries import batteries, targets

leasts = st.sampled_from([0.0, 200.0, 3000.0, 20000.0])


def battery(name: str, least_watts: float, capacity_wh: float = 10000.0, watts: float = 5000.0) -> AllocatableBattery:
    return AllocatableBattery(name, capacity_wh, watts, watts, least_watts=least_watts)


def shares(target_watts: float, *given_batteries: AllocatableBattery) -> dict[str, float]:
    allocation = allocate_battery_power(target_watts, given_batteries)
    return {name: share.watts for name, share in allocation.shares.items()}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (5000, {"a": 2500, "b": 2500}),
        (3000, {"a": 3000, "b": 0}),  # two would have 1500 W each
        (-3000, {"a": -3000, "b": 0}),
        (1500, {"a": 0, "b": 0}),
    ],
)
def test_those_with_too_small_a_share_are_left_out_and_the_others_do_it(
    target: float, expected: dict[str, float]
) -> None:
    found = shares(target, battery("a", 2000.0), battery("b", 2000.0))

    assert sorted(found.values()) == sorted(expected.values())


def test_one_that_was_left_out_does_its_least_where_the_others_cannot() -> None:
    large, small = battery("large", 0.0, 20000.0, 7000.0), battery("small", 5000.0, 12000.0, 6000.0)

    assert shares(10000.0, large, small) == {"large": 5000.0, "small": 5000.0}


def test_it_is_said_why() -> None:
    allocation = allocate_battery_power(1000.0, [battery("a", 2000.0)])

    assert allocation.shares["a"].reason.code == "not_worth_asking"
    assert allocation.unserved_watts == 1000.0


@given(batteries, targets, st.sampled_from(sorted(STRATEGIES)), st.data())
def test_no_share_lies_between_nothing_and_the_least(
    given_batteries: list[AllocatableBattery], target: float, strategy: str, data: st.DataObject
) -> None:
    asked = [replace(each, least_watts=data.draw(leasts)) for each in given_batteries]
    allocation = allocate_battery_power(target, asked, strategy)
    sign = 1 if target > 0 else -1

    for each in asked:
        watts = sign * allocation.watts(each.name)
        assert watts == 0 or each.least_watts - 1e-6 <= watts <= each.room_watts(target > 0) + 1e-6
    total = fsum(share.watts for share in allocation.shares.values())
    assert abs(total + allocation.unserved_watts - target) <= 1e-6 * max(abs(target), 1.0)
