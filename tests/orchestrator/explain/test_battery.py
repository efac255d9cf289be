"""Why a battery is asked for just so much: its share, and whose limit it stands at."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from orchestrator.config.sections import FewestUnitsConfig
from orchestrator.explain.words import say_all
from tests.support.plants.example_site import DARK, plant
from tests.support.plants.explained import (
    settled,
    why,
    with_own_battery,
    words,
)

ROOF = {"east": 0.0, "west": 0.0, "roof": 7500.0}
FROM_AC = "may charge from AC: own PV does not suffice"


def test_a_battery_at_its_power_limit_says_whose_it_is() -> None:
    assert why(settled(), "east")[0] == "charge 5000 W: at its power limit of 5000 W"
    rate = settled(battery_charge_rate_percent=40.0)
    assert why(rate, "east")[0] == "charge 2000 W: at its power limit of 2000 W, rate 40 % (fixed)"
    own = with_own_battery(plant(), charge_max_watts=1000.0)
    own.run(30)
    assert why(own, "east")[0] == "charge 1000 W: at its power limit of 1000 W, charge_max_watts (site.yaml)"
    shared = settled(pv={**DARK, "east": 3000.0}, load=12000.0)
    assert words(shared, "east")[0] == ("discharge: at its power limit, what PV leaves of its inverter's rating")


def test_a_full_and_an_empty_battery_say_who_set_the_bound() -> None:
    assert words(settled(battery_soc_max_percent=40.0), "east")[0] == "idle: full, maximum (fixed)"
    assert words(settled(pv=DARK, battery_soc_min_percent=60.0), "east")[0] == "idle: empty, minimum (fixed)"
    own = with_own_battery(plant(pv_watts=DARK), soc_min_percent=60.0)
    own.run(10)
    assert words(own, "east")[0] == "idle: empty, minimum (site.yaml)"
    loop = plant()
    loop.site.set_soc("east", 100.0)
    loop.run(10)
    assert why(loop, "east")[0] == "idle: full at 100 %"


def test_a_battery_that_takes_less_near_full_says_so() -> None:
    loop = plant()
    loop.site.set_soc("east", 98.0)
    loop.run(20)

    assert words(loop, "east")[0] == "charge: at its power limit, takes no more near full"


def test_a_battery_above_its_target_says_so() -> None:
    loop = plant()
    loop.site.set_soc("east", 80.0)
    loop.ask(battery_target_soc_percent=70.0)
    loop.run(20)

    assert why(loop, "east")[0] == "idle: charged to its target of 70 % (fixed)"


def test_a_battery_that_rests_before_it_turns_says_so() -> None:
    loop = with_own_battery(plant(pv_watts={**DARK, "east": 4000.0}), idle_between_s=30)
    loop.run(10)
    loop.site.set_load(8000.0)
    loop.run(5)

    assert why(loop, "east")[0] == "idle: rests before it turns"


def test_a_battery_that_rests_because_few_suffice_says_so() -> None:
    loop = plant(pv_watts=DARK, load_watts=500.0, allocation="fewest_units", fewest_units=FewestUnitsConfig())
    loop.run(10)

    assert sorted(words(loop, name)[0] for name in ("east", "west")) == [
        "discharge: runs for all, few batteries suffice",
        "idle: rests, few batteries suffice",
    ]


def test_charging_from_ac_is_said() -> None:
    assert FROM_AC in why(settled(pv=ROOF, export_limit_watts=0.0), "east")
    assert FROM_AC not in why(settled(pv={**DARK, "east": 3000.0}), "east")


def test_a_permission_that_lingers_while_own_pv_suffices_is_no_charging_from_ac() -> None:
    loop = settled(pv=ROOF, export_limit_watts=0.0)
    loop.site.set_pv_available("east", 6000.0)
    loop.ask(battery_charge_rate_percent=40.0)
    loop.run(6)
    command = loop.history[-1].result.command("east")

    assert command is not None
    assert command.battery is not None
    assert command.battery.grid_charging
    assert FROM_AC not in say_all(command.reasons)


def test_a_battery_that_does_not_follow_is_said() -> None:
    loop = plant(pv_watts=DARK, load_watts=5000.0)
    loop.run(10)
    reserve = loop.site.inverters["west"].settings.battery
    assert reserve is not None
    loop.site.set_soc("west", reserve.reserve_percent)  # the device itself does not go below, and we do not know
    loop.run(60)

    assert "its battery has not followed for 30 s" in why(loop, "west")


def test_each_battery_says_what_its_share_is_a_part_of() -> None:
    loop = settled(pv=DARK, battery_grid_charging_enabled=True, battery_grid_charging_max_watts=1500.0)
    part = "all batteries together: charge: charges from the grid (fixed), from there at most (fixed)"
    assert part in words(loop, "east")
    assert part in words(loop, "west")

    idle = settled(battery_priority_mode="export_first")
    assert why(idle, "east")[0] == "idle: the surplus is exported, export first (fixed)"


@pytest.mark.parametrize(
    ("mode", "pv", "left"), [(1, DARK, "discharging"), (2, {**DARK, "roof": 3000.0}, "charging"), (3, DARK, None)]
)
def test_what_the_storage_mode_leaves_to_the_device_is_said(mode: int, pv: dict[str, float], left: str | None) -> None:
    said = [r for r in why(settled(pv=pv, battery_storage_mode=mode), "east") if "battery_storage_mode" in r]

    assert said == ([f"{left} is left to the device: battery_storage_mode {mode} (fixed)"] if left else [])


def test_a_battery_that_gives_more_than_asked_is_said() -> None:
    loop = settled(pv=DARK, load=3000.0)
    state = loop.history[-1].result.state
    stubborn = replace(state.inverters["east"], following=replace(state.inverters["east"].following, over_steps=2))
    loop.state = replace(state, inverters={**state.inverters, "east": stubborn})
    loop.run(1)

    assert "its battery goes on giving more than asked, the others give less" in why(loop, "east")
