"""What the plant could do from here: headroom, and the power that keeps states of charge together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.decide.allocation.spread import AllocatableBattery, Bound, allocate_battery_power
from orchestrator.decide.plant.headroom import LiveNumbers, balanced_watts
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import DARK, plant
from tests.support.records.batteries import batteries

EAST = AllocatableBattery("east", 10000, 5000, 5000, 50)
WEST = AllocatableBattery("west", 5000, 4000, 4000, 50)


def live(loop: ClosedLoop) -> LiveNumbers:
    return loop.history[-1].result.live


def test_the_weakest_for_its_size_decides_what_keeps_the_batteries_together() -> None:
    assert balanced_watts([EAST, WEST], charging=True) == 7500
    assert balanced_watts([EAST, replace(WEST, charge_max_watts=1000)], charging=True) == 3000
    assert balanced_watts([EAST, replace(WEST, charge_max_watts=1000)], charging=False) == 7500
    assert balanced_watts([EAST, replace(WEST, charge_max_watts=0)], charging=True) == 0


def test_a_full_battery_does_not_hold_the_others_back() -> None:
    assert balanced_watts([EAST, replace(WEST, soc_percent=100.0)], charging=True) == 5000
    assert balanced_watts([replace(EAST, soc_percent=100.0)], charging=True) == 0
    assert balanced_watts([], charging=True) is None


@given(batteries, st.booleans())
def test_up_to_the_balanced_power_all_shares_are_in_proportion(group: list[AllocatableBattery], charging: bool) -> None:
    able = [b for b in group if b.bound(charging) is Bound.POWER]
    most = balanced_watts(group, charging=charging)
    assert most is not None
    allocation = allocate_battery_power(most if charging else -most, group, "capacity")
    size = sum(b.size(charging) for b in able)

    for battery in able:
        assert abs(allocation.watts(battery.name)) == pytest.approx(most * battery.size(charging) / size, abs=1e-3)


def test_batteries_give_head_room_both_ways() -> None:
    loop = plant(pv_watts=DARK, load_watts=3000.0)
    loop.run(20)

    assert live(loop).inverters["east"].headroom_up_watts == pytest.approx(3000, rel=0.05)  # gives 2000 of 5000 W
    assert live(loop).inverters["east"].headroom_down_watts == pytest.approx(7000, rel=0.05)  # down to charging 5000 W
    assert live(loop).inverters["roof"].headroom_up_watts == 0
    assert live(loop).headroom_up_watts == pytest.approx(9000 - 3000, rel=0.05)
    assert live(loop).balanced_discharge_watts == pytest.approx(7500)


def test_pv_gives_head_room_down_by_a_limit_and_none_up() -> None:
    loop = plant(pv_watts={**DARK, "roof": 6000.0}, battery_power_flow=False)
    loop.run(20)

    roof = live(loop).inverters["roof"]
    assert (roof.headroom_up_watts, roof.headroom_down_watts) == pytest.approx((0, 6000 * 0.97), rel=0.03)
    assert live(loop).balanced_charge_watts is None


def test_an_inverter_that_is_only_read_gives_none() -> None:
    loop = plant(pv_watts={**DARK, "roof": 6000.0})
    inverters = tuple(i.model_copy(update={"control": i.name != "roof"}) for i in loop.config.inverters)
    loop.config = loop.config.model_copy(update={"inverters": inverters})
    loop.run(10)

    roof = live(loop).inverters["roof"]
    assert (roof.headroom_up_watts, roof.headroom_down_watts) == (0, 0)


def test_the_rating_of_the_inverter_bounds_the_head_room() -> None:
    loop = plant(pv_watts={**DARK, "east": 4500.0}, load_watts=9000.0)
    loop.run(20)

    east = live(loop).inverters["east"]
    assert east.headroom_up_watts <= 5000 - 4500 * 0.97 + 50


def test_what_a_battery_takes_from_its_own_pv_gives_head_room_up_to_the_rating_only() -> None:
    loop = plant()
    loop.run(20)

    east = live(loop).inverters["east"]
    ac_watts = loop.history[-1].result.snapshot.inverters[0].ac_watts
    assert ac_watts == pytest.approx(970, abs=60)  # 5 of 6 kW go into the battery
    assert east.headroom_up_watts == pytest.approx(5000 - ac_watts)


def test_a_hybrid_that_is_held_back_could_feed_its_battery_without_less_ac() -> None:
    loop = plant(pv_watts={**DARK, "east": 6000.0}, load_watts=0.0)
    loop.ask(export_limit_watts=1000.0, battery_charge_max_watts=0.0)
    loop.run(30)

    assert live(loop).inverters["east"].headroom_down_watts == pytest.approx(1000, abs=60)


def test_batteries_that_are_released_give_no_head_room() -> None:
    loop = plant(pv_watts=DARK, load_watts=3000.0)
    loop.ask(battery_storage_mode=0)
    loop.run(5)

    assert live(loop).headroom_up_watts == 0
    assert live(loop).balanced_charge_watts is None


def test_a_full_battery_has_no_head_room_down() -> None:
    loop = plant(pv_watts=DARK, load_watts=0.0)
    loop.site.set_soc("east", 100.0)
    loop.run(5)

    assert live(loop).inverters["east"].headroom_down_watts == pytest.approx(0, abs=60)
