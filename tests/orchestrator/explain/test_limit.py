"""Why AC power is held to just so much: whose limit it is, and why it is not more."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.explain.words import say_all
from tests.support.plants.example_site import DARK, EXAMPLE, SUNNY, plant
from tests.support.plants.explained import (
    settled,
    site,
    why,
    words,
)


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


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({}, "no AC limit: nothing limits AC"),
        ({"export_limit_watts": 20000.0}, "no AC limit: export limit (fixed) leaves for AC"),
    ],
)
def test_no_limit_has_a_reason_too(asked: dict[str, Any], reason: str) -> None:
    assert words(settled(**asked), "roof") == [reason]


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
    reasons = say_all(moments[2].result.command("roof").reasons)

    assert any("rises at most 800 W a second" in reason for reason in reasons), reasons
