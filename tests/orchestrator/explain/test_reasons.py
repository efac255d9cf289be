"""Why: every value of a decision has a reason, with whose limit it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.commands import BatteryMode, InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.explain.codes import code_path, meaning
from orchestrator.explain.words import ROWS, say, say_all
from orchestrator.loop.in_force import in_force
from orchestrator.reason import Reason
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, merge
from orchestrator.simulation.scenarios.scenario import moments
from orchestrator.simulation.virtual_time import VirtualTime
from tests.support.plants.example_site import DARK, SUNNY, plant
from tests.support.plants.explained import (
    settled,
    site,
    why,
    words,
)
from tests.support.random_plants.random_scenarios import random_scenario

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

NOTHING_LIMITS = "no AC limit: nothing limits AC"
OF_BATTERY = {
    BatteryMode.CHARGE: {"charge"},
    BatteryMode.DISCHARGE: {"discharge"},
    BatteryMode.IDLE: {"idle", "battery_idle"},
    BatteryMode.HOLD: {"hold"},
    BatteryMode.RELEASE: {"battery_released"},
}
"""The codes of which one says what is asked of a battery."""


def test_a_connection_that_is_made_says_why() -> None:
    assert "connected: connect true (fixed)" in why(settled(connect=True), "roof")
    loop = settled(connect=False)
    loop.ask()
    loop.run(1)
    assert why(loop, "roof")[0] == "connected again: nobody wants it off any more"


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
                assert_can_be_said(moment.result.reasons)
                for command in moment.result.commands:
                    assert_every_value_has_a_reason(command)
                    assert_can_be_said(command.reasons)


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(6))
def test_every_command_of_a_random_plant_has_a_reason_for_each_of_its_values(seed: int) -> None:
    scenario = random_scenario(seed)
    results = [m.result for m in moments(scenario, VirtualTime(scenario.site_config())) if m.result]

    for result in results:
        assert result.reasons
        assert_can_be_said(result.reasons)
        for command in result.commands:
            assert_every_value_has_a_reason(command)
            assert_can_be_said(command.reasons)


def test_a_question_to_the_meter_is_said_of_the_site_and_of_who_is_held_down() -> None:
    loop = plant(failsafe={"ask_meter_after_s": 10.0})
    loop.ask(export_limit_watts=1000.0, battery_charge_max_watts=0.0)
    results = [moment.result for moment in loop.run(60) if moment.result]
    asking = [result for result in results if "less AC for a moment: does the meter see it?" in say_all(result.reasons)]

    assert asking
    for result in asking:
        roof = result.command("roof")
        assert roof is not None
        assert "held down for a moment: does the meter see it?" in say_all(roof.reasons)


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


def assert_can_be_said(reasons: tuple[Reason, ...]) -> None:
    """Each has words with all of its facts in them, and a meaning."""
    for reason in reasons:
        assert "None" not in say(reason)
        assert set(code_path(reason).split("/")) <= ROWS.keys()
        assert meaning(code_path(reason))


def assert_every_value_has_a_reason(command: InverterCommand) -> None:
    """One for its connection where that is commanded, one for its AC limit, one for its battery where it has one."""
    said = {reason.code: reason for reason in command.reasons}
    assert len(said) == len(command.reasons)
    assert ("no_ac_limit" in said) == (command.ac_limit_watts is None)
    assert ("ac_limit" in said) == (command.ac_limit_watts is not None)
    if command.ac_limit_watts is not None:
        assert said["ac_limit"].values["watts"] == command.ac_limit_watts
    of_connection = {None: set(), True: {"connected", "connected_again"}, False: {"disconnected"}}
    assert_one_of(said, of_connection[command.connect])
    if command.battery is not None:
        assert_one_of(said, OF_BATTERY[command.battery.mode])
        assert_one_of(said, {"charges_from_ac", "permission_left"} if command.battery.grid_charging else set())
        for mode in {"charge", "discharge"} & said.keys():
            assert said[mode].values["watts"] == abs(command.battery.watts)


def assert_one_of(said: Mapping[str, Reason], codes: set[str]) -> None:
    assert not codes or len(codes & said.keys()) == 1


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
