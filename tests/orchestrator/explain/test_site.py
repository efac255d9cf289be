"""Why all batteries together do what they do, and what cannot be kept or served."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.explain.words import say_all
from tests.support.plants.example_site import DARK, SUNNY, plant
from tests.support.plants.explained import (
    settled,
    site,
    with_own_battery,
    without_numbers,
    words,
)


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
    said = {without_numbers(reason) for moment in loop.run(10) for reason in say_all(moment.result.reasons)}

    assert "tries for of PV that a limit may hide" in said


def test_an_import_that_is_left_to_the_ac_limits_is_said() -> None:
    loop = settled(export_limit_watts=0.0)
    loop.site.set_load(1500.0)
    said = {without_numbers(reason) for moment in loop.run(3) for reason in say_all(moment.result.reasons)}

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
        assert not any("not served" in reason for reason in say_all(moment.result.reasons))


def test_a_load_limit_says_who_asked_for_it() -> None:
    loop = settled(pv=DARK, battery_grid_charging_enabled=True, load_limit_watts=2000.0, import_limit_watts=9000.0)

    assert words(loop, "east")[0] == "charge: load limit (fixed)"
    assert without_numbers(site(loop)[-1]).endswith("not served: load limit (fixed)")
