"""Why: every watt has a reason in plain words, with whose limit it is and why it is not more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.commands import InverterCommand
from orchestrator.config.sections import BatteryConfig, FewestUnitsConfig, SiteConfig
from orchestrator.explain.words import PLAIN
from orchestrator.loop.in_force import in_force
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, merge
from orchestrator.simulation.scenarios.scenario import moments
from orchestrator.simulation.virtual_time import VirtualTime
from orchestrator.telemetry.gauges import without_numbers
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import DARK, EXAMPLE, SUNNY, plant
from tests.support.random_plants.random_scenarios import random_scenario

ROOF = {"east": 0.0, "west": 0.0, "roof": 7500.0}
NOTHING_LIMITS = "no AC limit: nothing limits AC"
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


def test_of_two_limits_on_ac_the_one_that_binds_comes_first() -> None:
    loop = settled(export_limit_watts=5000.0, generation_limit_watts=3000.0, battery_charge_max_watts=0.0)
    assert why(loop, "roof")[0] == (
        "AC limit 3000 W: generation limit 3000 W (fixed) leaves 3000 W for AC, "
        "export limit 5000 W (fixed) would leave more"
    )
    loop = settled(export_limit_watts=500.0, generation_limit_watts=3000.0, battery_charge_max_watts=0.0)
    assert words(loop, "roof")[0] == (
        "AC limit: export limit (fixed) leaves for AC, generation limit (fixed) would leave more"
    )


def test_what_inverters_that_are_away_may_make_is_said() -> None:
    loop = settled(generation_limit_watts=6000.0, battery_charge_max_watts=0.0, pv={**SUNNY, "roof": 1000.0})
    loop.away = {"west"}
    loop.run(20)

    limit = "AC limit: generation limit (fixed), of which are for inverters that are away, leaves for AC"
    assert limit in words(loop, "east")


def test_the_charge_buffer_of_the_older_way_is_named() -> None:
    loop = plant(battery_power_flow=False, battery_charge_buffer_watts=3000.0)
    loop.ask(export_limit_watts=0.0)
    loop.run(30)

    assert words(loop, "roof")[0] == (
        "AC limit: export limit (fixed), raised to the charge buffer (site.yaml), leaves for AC"
    )


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
        ({**DARK, "roof": 3000.0}, 1000.0, {}, "charge: surplus, batteries first"),
        (SUNNY, 1000.0, {}, "charge: surplus, batteries first, all that the batteries take"),
        (
            {**DARK, "roof": 3000.0},
            1000.0,
            {"battery_priority_mode": "battery_first"},
            "charge: surplus, batteries first (fixed)",
        ),
        (
            SUNNY,
            1000.0,
            {"battery_priority_mode": "export_first", "export_limit_watts": 3000.0},
            "charge: surplus that export leaves, export first (fixed)",
        ),
        (SUNNY, 1000.0, {"battery_charge_max_watts": 3000.0}, "charge: surplus, batteries first, at most (fixed)"),
        (
            SUNNY,
            1000.0,
            {"battery_charge_rate_percent": 30.0},
            "charge: surplus, batteries first, at the rate (fixed)",
        ),
        (
            SUNNY,
            1000.0,
            {"battery_target_soc_percent": 40.0, "export_limit_watts": 8000.0},
            "charge: surplus that the export limit (fixed) refuses, above the target",
        ),
        (
            DARK,
            1000.0,
            {"battery_grid_charging_enabled": True},
            "charge: charges from the grid (fixed), all that the batteries take",
        ),
        (
            DARK,
            1000.0,
            {"battery_grid_charging_enabled": True, "import_limit_watts": 3000.0},
            "charge: charges from the grid (fixed), up to the import limit (fixed)",
        ),
        (
            DARK,
            1000.0,
            {
                "battery_grid_charging_enabled": True,
                "import_limit_watts": 3000.0,
                "battery_grid_charging_max_watts": 1500.0,
            },
            "charge: charges from the grid (fixed), from there at most (fixed)",
        ),
        (
            DARK,
            1000.0,
            {
                "battery_grid_charging_enabled": True,
                "import_limit_watts": 3000.0,
                "battery_grid_charging_max_watts": 5000.0,
            },
            "charge: charges from the grid (fixed), up to the import limit (fixed)",
        ),
        (
            DARK,
            1000.0,
            {"battery_grid_charging_enabled": True, "battery_import_target_watts": 2500.0},
            "charge: charges from the grid (fixed), up to the import target (fixed)",
        ),
        (DARK, 3000.0, {}, "discharge: covers the load"),
        (DARK, 12000.0, {}, "discharge: covers the load, at most what the power limits of the batteries allow"),
        (
            DARK,
            9000.0,
            {"battery_discharge_rate_percent": 30.0},
            "discharge: covers the load, at most the rate (fixed)",
        ),
        (
            DARK,
            3000.0,
            {"battery_discharge_max_watts": 1500.0},
            "discharge: covers the load, at most the discharge limit (fixed)",
        ),
        (
            DARK,
            3000.0,
            {"generation_limit_watts": 2000.0},
            "discharge: covers the load, at most what the generation limit (fixed) leaves",
        ),
        (
            DARK,
            0.0,
            {"battery_export_target_watts": 2000.0, "export_limit_watts": 1000.0},
            "discharge: for the export target (fixed), at most export limit (fixed)",
        ),
        (DARK, 0.0, {"battery_export_target_watts": 2000.0}, "discharge: for the export target (fixed)"),
        (
            DARK,
            3000.0,
            {"battery_grid_charging_enabled": True, "import_limit_watts": 1000.0},
            "discharge: import above its limit (fixed)",
        ),
        (DARK, 0.0, {}, "idle: nothing to charge with and no load to cover"),
        (
            DARK,
            3000.0,
            {"battery_soc_min_percent": 60.0},
            "idle: no battery can cover the load, at most what is above the minimum (fixed), which is nothing",
        ),
        (SUNNY, 1000.0, {"battery_soc_max_percent": 40.0}, "idle: no battery takes more: full"),
        (
            SUNNY,
            1000.0,
            {"battery_soc_max_percent": 40.0, "export_limit_watts": 0.0},
            "idle: no battery takes more: full",
        ),
        (
            SUNNY,
            1000.0,
            {"battery_charge_max_watts": 0.0, "export_limit_watts": 0.0},
            "idle: no battery may charge, at most (fixed)",
        ),
        (
            SUNNY,
            1000.0,
            {"battery_priority_mode": "export_first"},
            "idle: the surplus is exported, export first (fixed)",
        ),
        (
            SUNNY,
            1000.0,
            {"battery_target_soc_percent": 40.0},
            "idle: the surplus is exported, batteries are at their target (fixed)",
        ),
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
    ("asked", "binds"),
    [
        ({}, "batteries give at most what the power limits of the batteries allow"),
        ({"generation_limit_watts": 1000.0}, "batteries give at most what the generation limit (fixed) leaves"),
        ({"battery_discharge_max_watts": 1000.0}, "batteries give at most the discharge limit (fixed)"),
        (
            {"battery_soc_min_percent": 60.0},
            "batteries give at most what is above the minimum (fixed), which is nothing",
        ),
        (
            {"battery_storage_mode": 0},
            "batteries give at most nothing, battery_storage_mode 0 (fixed) releases the batteries",
        ),
        ({"energize": False}, "energize false (fixed)"),
        ({"connect": False}, "connect false (fixed)"),
    ],
)
def test_an_import_limit_that_cannot_be_kept_names_what_binds(asked: dict[str, Any], binds: str) -> None:
    loop = settled(pv=DARK, load=12000.0, import_limit_watts=1000.0, **asked)

    assert f"import limit (fixed) cannot be kept, exceeded by: {binds}" in map(without_numbers, site(loop))


def test_an_import_limit_that_is_kept_is_no_trouble() -> None:
    for load in (3000.0, 9000.0):
        assert not any(
            "cannot be kept" in reason for reason in site(settled(pv=DARK, load=load, import_limit_watts=500.0))
        )


def test_an_inverter_that_cannot_be_limited_is_named_where_it_exceeds_the_limit() -> None:
    loop = plant(pv_watts={**DARK, "roof": 7000.0})
    roof = loop.config.inverters[2].model_copy(update={"control": False})
    loop.config = loop.config.model_copy(update={"inverters": (*loop.config.inverters[:2], roof)})
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=0.0)
    loop.run(20)

    assert site(loop)[-1].startswith("export limit 0 W (fixed) cannot be kept, exceeded by ")
    assert site(loop)[-1].endswith("W: roof cannot be limited")


def test_nothing_is_held_down_where_only_a_battery_gives_power() -> None:
    inverters = {"bat": EXAMPLE["east"].model_copy(update={"pv_peak_watts": 0.0})}
    loop = plant(inverters, pv_watts={"bat": 0.0})
    loop.ask(export_limit_watts=0.0)
    loop.run(20)

    assert not any("AC held down" in reason for reason in site(loop))
    assert words(loop, "bat")[1] == "no AC limit: it has no PV, the command for its battery says it all"


def test_what_is_not_served_is_said_where_it_is_noticeable() -> None:
    loop = with_own_battery(plant(pv_watts={**DARK, "east": 4000.0}), idle_between_s=30)
    loop.run(10)
    loop.site.set_load(8000.0)
    loop.run(5)
    assert any(
        reason.endswith("W not served: east rests before it turns; west at its power limit of 4000 W")
        for reason in site(loop)
    )

    near_full = plant()
    near_full.site.set_soc("east", 98.0)
    near_full.site.set_soc("west", 97.0)
    for moment in near_full.run(60)[30:]:
        assert moment.result is not None
        assert not any("not served" in reason for reason in moment.result.reasons)


def test_a_load_limit_says_who_asked_for_it() -> None:
    loop = settled(pv=DARK, battery_grid_charging_enabled=True, load_limit_watts=2000.0, import_limit_watts=9000.0)

    assert words(loop, "east")[0] == "charge: load limit (fixed)"
    assert without_numbers(site(loop)[-1]).endswith("not served: load limit (fixed)")


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

    assert said == ([f"{left} is not held to it: battery_storage_mode {mode} (fixed)"] if left else [])


def test_a_battery_that_gives_more_than_asked_is_said() -> None:
    loop = settled(pv=DARK, load=3000.0)
    state = loop.history[-1].result.state
    stubborn = replace(state.inverters["east"], following=replace(state.inverters["east"].following, over_steps=2))
    loop.state = replace(state, inverters={**state.inverters, "east": stubborn})
    loop.run(1)

    assert "its battery goes on giving more than asked, the others give less" in why(loop, "east")


def test_a_connection_that_is_made_says_why() -> None:
    assert "connected: connect true (fixed)" in why(settled(connect=True), "roof")
    loop = settled(connect=False)
    loop.ask()
    loop.run(1)
    assert why(loop, "roof")[0] == "connected again: nobody wants it off any more"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({}, "no AC limit: nothing limits AC"),
        ({"export_limit_watts": 20000.0}, "no AC limit: export limit (fixed) leaves for AC"),
    ],
)
def test_no_limit_has_a_reason_too(asked: dict[str, Any], reason: str) -> None:
    assert words(settled(**asked), "roof") == [reason]


def test_every_command_of_a_day_of_changing_wishes_has_a_reason_for_each_of_its_values() -> None:
    loop = plant(noise_watts=20.0)
    for asked in (
        {},
        {"export_limit_watts": 0.0},
        {"export_limit_watts": 3000.0, "battery_priority_mode": "export_first"},
        {"battery_grid_charging_enabled": True, "import_limit_watts": 4000.0},
        {"battery_storage_mode": 1},
        {"battery_storage_mode": 0},
        {"energize": False},
        {"connect": False},
        {"generation_limit_watts": 500.0, "import_limit_watts": 100.0},
    ):
        for pv in (SUNNY, DARK):
            for name, watts in pv.items():
                loop.site.set_pv_available(name, watts)
            loop.ask(**asked)
            for moment in loop.run(8):
                assert moment.result.reasons
                assert_plain(moment.result.reasons)
                for command in moment.result.commands:
                    assert_every_value_has_a_reason(command)
                    assert_plain(command.reasons)


@pytest.mark.parametrize("seed", range(6))
def test_every_command_of_a_random_plant_has_a_reason_for_each_of_its_values(seed: int) -> None:
    scenario = random_scenario(seed)
    results = [m.result for m in moments(scenario, VirtualTime(scenario.site_config())) if m.result]

    for result in results:
        assert result.reasons
        assert_plain(result.reasons)
        for command in result.commands:
            assert_every_value_has_a_reason(command)
            assert_plain(command.reasons)


def test_a_question_to_the_meter_is_said_of_the_site_and_of_who_is_held_down() -> None:
    loop = plant(failsafe={"ask_meter_after_s": 10.0})
    loop.ask(export_limit_watts=1000.0, battery_charge_max_watts=0.0)
    results = [moment.result for moment in loop.run(60) if moment.result]
    asking = [result for result in results if "less AC for a moment: does the meter see it?" in result.reasons]

    assert asking
    for result in asking:
        roof = result.command("roof")
        assert roof is not None
        assert "held down for a moment: does the meter see it?" in roof.reasons


def test_the_default_of_a_source_is_not_taken_for_its_setpoint() -> None:
    loop = plant()
    default = Setpoint("utility", SetpointFields(export_limit_watts=0.0), is_default=True)
    envelope = merge([default])
    loop.envelope = lambda: envelope  # type: ignore[method-assign]
    loop.run(30)

    assert words(loop, "roof")[0] == "AC limit: export limit (default of utility) leaves for AC"
    assert envelope.source("export_limit_watts") == "utility"


def test_the_limits_in_force_say_where_a_default_holds() -> None:
    config = SiteConfig.model_validate(
        {
            "site": {"name": "home"},
            "meter": {"host": "127.0.0.1"},
            "inverters": [{"name": "east", "host": "127.0.0.2"}],
            "setpoints": {
                "mqtt": {"host": "127.0.0.1", "topic": "t", "default": {"export_limit_watts": 0}},
            },
        }
    )
    asked = Setpoint("mqtt", SetpointFields(export_limit_watts=0.0))

    assert merge(in_force(config, {}, 0.0)).whose("export_limit_watts") == "default of mqtt"
    assert merge(in_force(config, {"mqtt": asked}, 0.0)).whose("export_limit_watts") == "mqtt"


def assert_plain(reasons: tuple[str, ...]) -> None:
    """`explain` says of each what it means."""
    assert [reason for reason in reasons if not any(words in reason for words, _ in PLAIN)] == []


def assert_every_value_has_a_reason(command: InverterCommand) -> None:
    """One for its connection where that is commanded, one for its AC limit, one for its battery where it has one."""
    limit = "no AC limit: " if command.ac_limit_watts is None else f"AC limit {command.ac_limit_watts:.0f} W: "
    wanted = [limit]
    if command.battery is not None:
        mode, watts = command.battery.mode, abs(command.battery.watts)
        begins = {"idle": "idle: ", "release": "battery released: ", "hold": "hold: "}
        wanted.append(begins.get(mode, f"{mode} {watts:.0f} W: "))
        if command.battery.grid_charging:
            wanted.append("charge from AC: ")
    if command.connect is not None:
        wanted.append("connected" if command.connect else "disconnected: ")
    assert [words for words in wanted if not any(words in reason for reason in command.reasons)] == []


@pytest.mark.parametrize(
    ("asked", "name", "reasons"),
    [
        ({"energize": False}, "east", ("battery idle: energize false (fixed)", "AC limit 0 W: energize false (fixed)")),
        ({"energize": False}, "roof", ("AC limit 0 W: energize false (fixed)",)),
        (
            {"connect": False},
            "east",
            ("disconnected: connect false (fixed)", "battery released: connect (fixed)", NOTHING_LIMITS),
        ),
        ({"battery_storage_mode": 0}, "east", ("battery released: battery_storage_mode (fixed)", NOTHING_LIMITS)),
        ({}, "roof", (NOTHING_LIMITS,)),
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


def test_the_limit_of_the_failsafe_is_named_where_it_is_the_lower_one() -> None:
    loop = settled(export_limit_watts=2000.0)
    loop.meter_silent = True
    loop.run(10)

    assert words(loop, "roof")[0] == "AC limit: meter silent, failsafe export limit (site.yaml) leaves for AC"


def test_the_ramp_that_is_said_of_one_that_has_come_back_is_its_own() -> None:
    loop = plant(battery_power_flow=False)
    loop.ask(export_limit_watts=0.0)
    loop.run(20)
    loop.away = {"roof"}
    loop.run(5)
    loop.away = set()
    loop.ask(export_limit_watts=8000.0)
    moments = loop.run(4)
    reasons = moments[2].result.command("roof").reasons

    assert any("rises at most 800 W a second" in reason for reason in reasons), reasons
