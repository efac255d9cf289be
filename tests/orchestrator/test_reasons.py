"""Why: every watt has a reason in plain words, with whose limit it is and why it is not more."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.config import BatteryConfig, FewestUnitsConfig
from orchestrator.gauges import without_numbers
from tests.support.closed_loop import ClosedLoop
from tests.support.example_site import DARK, SUNNY, plant

ROOF = {"east": 0.0, "west": 0.0, "roof": 7500.0}
FROM_AC = "may charge from AC: own PV does not suffice"


def settled(seconds: float = 30, *, pv: dict[str, float] = SUNNY, load: float = 1000.0, **asked: Any) -> ClosedLoop:
    loop = plant(pv_watts=pv, load_watts=load)
    loop.ask(**asked)
    loop.run(seconds)
    return loop


def site(loop: ClosedLoop) -> tuple[str, ...]:
    return loop.history[-1].result.reasons


def why(loop: ClosedLoop, name: str) -> tuple[str, ...]:
    command = loop.history[-1].result.command(name)
    assert command is not None
    return command.reasons


def words(loop: ClosedLoop, name: str) -> list[str]:
    return [without_numbers(reason) for reason in why(loop, name)]


def with_own_battery(loop: ClosedLoop, **values: Any) -> ClosedLoop:
    """The same with the first inverter's battery described in site.yaml."""
    first = loop.config.inverters[0].model_copy(update={"battery": BatteryConfig(**values)})
    loop.config = loop.config.model_copy(update={"inverters": (first, *loop.config.inverters[1:])})
    return loop


def test_a_limit_names_its_source_and_what_it_leaves_for_all() -> None:
    loop = settled(export_limit_watts=0.0, battery_charge_max_watts=0.0)

    assert why(loop, "roof") == ("AC limit 983 W: export limit 0 W (fixed) leaves 983 W for AC", "throttled")


def test_both_limits_on_ac_are_named() -> None:
    loop = settled(export_limit_watts=5000.0, generation_limit_watts=3000.0, battery_charge_max_watts=0.0)

    assert "AC limit: export limit (fixed), generation limit (fixed) leaves for AC" in words(loop, "roof")


def test_a_limit_that_rises_says_how_fast() -> None:
    loop = settled(export_limit_watts=0.0, battery_charge_max_watts=0.0)
    loop.ask(export_limit_watts=8000.0, battery_charge_max_watts=0.0)
    loop.run(2)

    assert why(loop, "roof")[-1] == "rises at most 1600 W a second"
    loop.ask(battery_charge_max_watts=0.0)
    loop.run(1)
    assert words(loop, "roof")[0] == "AC limit: rising step by step to no limit"


def test_a_limit_that_is_not_changed_for_little_says_so() -> None:
    loop = settled(export_limit_watts=2000.0, battery_charge_max_watts=0.0)
    loop.ask(export_limit_watts=2030.0, battery_charge_max_watts=0.0)
    loop.run(1)

    assert why(loop, "roof")[-1] == "held: change under 1 %"


def test_a_battery_at_its_power_limit_says_whose_it_is() -> None:
    assert why(settled(), "east")[0] == "charge 5000 W: at its power limit of 5000 W"
    rate = settled(battery_charge_rate_percent=40.0)
    assert why(rate, "east")[0] == "charge 2000 W: at its power limit of 2000 W, rate 40 % (fixed)"
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

    assert why(loop, "east")[0] == "idle: charged to its target of 70 %"


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
    assert FROM_AC not in command.reasons


def test_a_battery_that_does_not_follow_is_said() -> None:
    loop = plant(pv_watts=DARK, load_watts=5000.0)
    loop.run(10)
    reserve = loop.site.inverters["west"].settings.battery
    assert reserve is not None
    loop.site.set_soc("west", reserve.reserve_percent)  # the device itself does not go below, and we do not know
    loop.run(60)

    assert "its battery has not followed for 30 s" in why(loop, "west")


@pytest.mark.parametrize(
    ("pv", "load", "asked", "reason"),
    [
        (SUNNY, 1000.0, {}, "charge: surplus, batteries first"),
        (SUNNY, 1000.0, {"battery_priority_mode": "battery_first"}, "charge: surplus, batteries first (fixed)"),
        (
            SUNNY,
            1000.0,
            {"battery_priority_mode": "export_first", "export_limit_watts": 3000.0},
            "charge: surplus that export leaves, export first (fixed)",
        ),
        (SUNNY, 1000.0, {"battery_charge_max_watts": 3000.0}, "charge: surplus, batteries first, at most (fixed)"),
        (DARK, 1000.0, {"battery_grid_charging_enabled": True}, "charge: charges from the grid (fixed)"),
        (DARK, 3000.0, {}, "discharge: covers the load"),
        (DARK, 3000.0, {"battery_discharge_max_watts": 1500.0}, "discharge: covers the load, at most (fixed)"),
        (DARK, 0.0, {"battery_export_target_watts": 2000.0}, "discharge: for the export target (fixed)"),
        (
            DARK,
            3000.0,
            {"battery_grid_charging_enabled": True, "import_limit_watts": 1000.0},
            "discharge: import above its limit (fixed)",
        ),
        (DARK, 0.0, {}, "idle: nothing to charge with and no load to cover"),
        (DARK, 3000.0, {"battery_soc_min_percent": 60.0}, "idle: no battery can cover the load"),
        (SUNNY, 1000.0, {"battery_soc_max_percent": 40.0}, "idle: no battery takes the surplus, or export comes first"),
        (
            DARK,
            1000.0,
            {"battery_grid_charging_enabled": True, "battery_target_soc_percent": 40.0},
            "idle: grid charging enabled (fixed), no charge needed",
        ),
    ],
)
def test_the_site_says_why_batteries_charge_discharge_or_idle(
    pv: dict[str, float], load: float, asked: dict[str, Any], reason: str
) -> None:
    assert without_numbers(site(settled(pv=pv, load=load, **asked))[0]) == reason


def test_a_probe_for_hidden_pv_is_said() -> None:
    loop = settled(export_limit_watts=0.0, battery_charge_max_watts=0.0)
    loop.ask(export_limit_watts=0.0)
    said = {without_numbers(reason) for moment in loop.run(10) for reason in moment.result.reasons}

    assert "tries for of PV that a limit may hide" in said


def test_an_import_that_is_left_to_the_ac_limits_is_said() -> None:
    loop = settled(export_limit_watts=0.0)
    loop.site.set_load(1500.0)
    said = {without_numbers(reason) for moment in loop.run(3) for reason in moment.result.reasons}

    assert "leaves an import to the AC limits" in said


def test_a_target_that_is_held_is_said() -> None:
    loop = settled(pv=DARK, load=3000.0)
    loop.site.set_load(3040.0)
    loop.run(1)

    assert site(loop)[-1] == f"held at {abs(loop.history[-1].result.state.site.target_watts):.0f} W: change under 1 %"


def test_what_cannot_be_served_names_the_limit() -> None:
    loop = settled(pv=DARK, load=12000.0, battery_soc_min_percent=10.0)
    loop.site.set_soc("west", 10.0)
    loop.run(3)

    assert without_numbers(site(loop)[-1]).startswith("discharge: covers the load")
    assert words(loop, "west")[0] == "idle: empty, minimum (fixed)"


@pytest.mark.parametrize(
    ("asked", "name", "reasons"),
    [
        ({"energize": False}, "east", ("battery idle: energize false (fixed)", "AC limit 0 W: energize false (fixed)")),
        ({"energize": False}, "roof", ("AC limit 0 W: energize false (fixed)",)),
        (
            {"connect": False},
            "east",
            ("disconnected: connect false (fixed)", "battery released: connect (fixed)"),
        ),
        ({"battery_storage_mode": 0}, "east", ("battery released: battery_storage_mode (fixed)",)),
        ({}, "roof", ()),
    ],
)
def test_switches_say_who_threw_them(asked: dict[str, Any], name: str, reasons: tuple[str, ...]) -> None:
    assert why(settled(**asked), name) == reasons


def test_a_silent_meter_is_said_for_the_site_and_each_inverter() -> None:
    loop = settled(export_limit_watts=0.0)
    loop.meter_silent = True
    loop.run(10)

    assert site(loop) == ("meter silent: failsafe",)
    assert words(loop, "east")[0] == "hold: meter silent, charge at most from own PV"
    assert words(loop, "roof")[0] == "AC limit: meter silent, export limit (fixed) leaves for AC"
