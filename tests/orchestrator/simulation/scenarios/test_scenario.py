"""Scenario files: what they may say, how mistakes are told, and what happens when they are played."""

from __future__ import annotations

from contextlib import suppress
from math import isnan
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.commands import BatteryMode
from orchestrator.errors import ConfigError
from orchestrator.simulation.measuring.expectations import MEASURES, Expectation
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.network.virtual import InverterFault, MeterDefect
from orchestrator.simulation.rehearsal import rivals
from orchestrator.simulation.scenarios.scenario import (
    SCENARIOS,
    load_scenario,
    load_scenarios,
    moments,
    parse_scenario,
    play,
)
from orchestrator.simulation.virtual_time import VirtualTime

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

PLANT = """
title: test
duration_s: 20
load: {base_watts: 1000, variation_watts: 0}
inverters:
  east:
    pv_peak_watts: 6000
    ac_rating_watts: 5000
    battery: {capacity_wh: 10000, charge_watts: 5000, discharge_watts: 5000}
  roof: {pv_peak_watts: 8000, ac_rating_watts: 8000}
"""
EXPECT = """
expect:
  - {measure: energy_gap_wh, at_most: 0.001}
"""

GOOD = (
    PLANT
    + """\
fixed: {export_limit_watts: 4000}
settings: {east: {ramp_watts_per_s: 100}}
timeline:
  - {at_s: 0, pv_watts: {east: 500}, setpoint: {import_limit_watts: 5}, validity_s: 9}
  - {at_s: 5, load_watts: 700, inverters: {east: frozen}, meter: frozen, orchestrator: killed}
expect:
  - {measure: energy_gap_wh, at_most: 0.001}
  - {measure: soc_least_percent, from_s: 1, to_s: 9, at_most: 50, inverter: east}
"""
)
WRONG = yaml.safe_load((Path(__file__).parents[4] / "tests/fixtures/wrong_scenarios.yaml").read_text())


def timeline(*entries: str) -> str:
    return PLANT + "timeline:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries) + EXPECT


def loop_after(*entries: str, seconds: float = 10.0) -> VirtualTime:
    """The loop as it is after so many seconds of a scenario with these entries."""
    scenario = parse_scenario(timeline(*entries))
    loop = VirtualTime(scenario.site_config())
    for moment in moments(scenario, loop):
        if moment.at_s >= seconds:
            break
    return loop


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        parse_scenario(text)
    return [str(problem) for problem in refusal.value.problems]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case["to"].strip() or "nothing")
def test_a_mistake_is_told_once_with_its_place_and_what_was_meant(case: dict[str, Any]) -> None:
    assert GOOD.count(case["from"]) == 1, case["from"]

    assert mistakes(GOOD.replace(case["from"], case["to"])) == case["says"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1: must be a mapping of keys (got nothing)"),
        ("title: [", "1:9: not valid YAML: expected the node content, but found '<stream end>'"),
        (PLANT, "2:1: expect: this key is missing; it must be a list"),
    ],
)
def test_what_is_no_whole_scenario_is_told(text: str, told: str) -> None:
    assert mistakes(text) == [told]


def test_the_scenario_that_is_spoiled_here_is_a_good_one() -> None:
    assert parse_scenario(GOOD).title == "test"


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    text = PLANT.replace("20", "-20") + "wind: 3\n"

    assert [line.split(": ")[1] for line in mistakes(text)] == ["expect", "duration_s", "wind"]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml:1:1: there is no such file"):
        load_scenario(tmp_path / "nowhere.yaml")


@given(st.integers(0, 400), st.integers(0, 40), st.text("ab:{}[], -\n'\"0*", max_size=4))
def test_any_text_is_a_scenario_or_a_list_of_mistakes(at: int, length: int, new: str) -> None:
    with suppress(ConfigError):
        parse_scenario(GOOD[:at] + new + GOOD[at + length :])


def test_a_file_becomes_the_site_that_it_describes() -> None:
    text = (
        PLANT + "settings: {east: {battery: {idle_between_s: 3}}}\ndefault: {export_limit_watts: 5}\nseed: 4" + EXPECT
    )
    config = parse_scenario(text).site_config()

    assert [inverter.name for inverter in config.inverters] == ["east", "roof"]
    assert config.inverter("east").battery.idle_between_s == 3
    assert config.control.battery_power_flow
    assert config.simulation is not None
    assert config.simulation.seed == 4
    assert config.setpoints.mqtt[0].default is not None


def test_weather_load_and_batteries_change_at_their_time() -> None:
    loop = loop_after(
        "at_s: 0, pv_watts: {east: 1000, roof: 2000}, load_watts: 700, soc_percent: {east: 80}",
        "at_s: 5, pv_watts: {roof: weather}, load_watts: weather, accepts: {east: {charge_watts: 300}}",
        seconds=9,
    )

    assert loop.site.pv_available_at("east", 9.0) == 1000
    assert loop.site.pv_available_at("roof", 9.0) not in (0, 2000)
    assert loop.site.load_watts == 1000
    assert loop.site.inverters["east"].soc_percent == pytest.approx(80, abs=0.2)
    assert loop.site.inverters["east"].state.battery_watts == pytest.approx(300)


def test_a_cold_battery_charges_less_and_a_deaf_one_goes_on_as_it_is() -> None:
    day = "at_s: 0, pv_watts: {east: 6000, roof: 8000}, load_watts: 700"
    cold = loop_after(day, "at_s: 2, temperature_celsius: {east: 2}")
    deaf = loop_after(day, "at_s: 2, ignores_battery: {east: true}", "at_s: 3, setpoint: {battery_charge_max_watts: 0}")

    assert cold.site.inverters["east"].state.battery_watts == pytest.approx(1000)
    assert deaf.site.inverters["east"].state.battery_watts > 3000


def test_faults_begin_and_end() -> None:
    begun = loop_after("at_s: 1, inverters: {east: frozen, roof: offline}, meter: reversed")
    ended = loop_after("at_s: 1, inverters: {east: frozen}, meter: frozen", "at_s: 3, inverters: {east: ok}, meter: ok")

    assert begun.inverter_faults == {"east": InverterFault.FROZEN, "roof": InverterFault.OFFLINE}
    assert begun.meter_fault is MeterDefect.REVERSED
    assert (ended.inverter_faults, ended.meter_fault) == ({}, None)


def test_setpoints_hold_for_their_validity_or_until_they_are_withdrawn() -> None:
    def limits(*entries: str) -> list[float | None]:
        run = play(parse_scenario(timeline(*entries)))
        return [m.wanted.export_limit_watts for m in run.moments[4:8]]

    assert limits("at_s: 0, setpoint: {export_limit_watts: 9}, validity_s: 6") == [9, None, None, None]
    assert limits("at_s: 0, setpoint: {export_limit_watts: 9}", "at_s: 6, setpoint: withdrawn") == [9, 9, None, None]


def test_the_orchestrator_is_killed_stopped_and_started() -> None:
    def modes(*entries: str) -> list[str | None]:
        return [m.mode for m in play(parse_scenario(timeline(*entries))).moments[4:9]]

    assert modes("at_s: 5, orchestrator: killed", "at_s: 7, orchestrator: started") == [
        "normal", None, None, "normal", "normal",
    ]  # fmt: skip
    assert modes("at_s: 5, orchestrator: restarted") == ["normal"] * 5
    stopped = loop_after("at_s: 5, orchestrator: stopped")
    assert stopped.site.inverters["east"].controls.high_watts is None


def test_another_controller_plays_the_same_scenario() -> None:
    run = play(parse_scenario(timeline("at_s: 0, pv_watts: {roof: 8000}")), rivals.no_control)

    assert all(c.battery is None or c.battery.mode is BatteryMode.RELEASE for m in run.moments for c in m.commands)


def test_an_outcome_says_what_was_measured_and_what_was_asked() -> None:
    scenario = parse_scenario(timeline("at_s: 0, load_watts: 1000"))
    run = play(scenario)
    expectation = Expectation(measure="mean_battery_watts", inverter="east", from_s=5, at_least=1e6, why="a joke")
    outcome = expectation.judge(run)

    assert not outcome.holds
    assert str(outcome).startswith("mean_battery_watts of east from 5 s to the end: ")
    assert str(outcome).endswith("at least 1e+06 (a joke)")
    assert scenario.judge(run)[0].holds


@pytest.mark.parametrize("measure", sorted(MEASURES))
def test_every_measure_gives_a_number_of_an_ordinary_run(measure: str, ordinary: Run) -> None:
    value = Expectation(measure=measure, inverter="east", reason="export_limit", at_most=0.0).judge(ordinary).value

    assert isinstance(value, (int, float))
    assert not isnan(value)


@pytest.fixture(scope="module")
def ordinary() -> Run:
    entries = (
        "at_s: 0, pv_watts: {east: 3000, roof: 5000}, setpoint: {export_limit_watts: 1000}",
        "at_s: 9, load_watts: 4000",
    )
    return play(parse_scenario(timeline(*entries)))


EXPECTED_NUMBERS: dict[str, Any] = {
    "mean_import_watts": 1000,
    "most_export_watts": 0,
    "soc_least_percent": 5,
    "most_ac_limit_watts": 5000,
    "least_pv_watts": 0,
    "jump_percent": 0,
    "swing_growth": 1,
    "seconds_naming": 0,
    "seconds_in_failsafe": 0,
}


def test_the_numbers_of_a_dull_night_are_known() -> None:
    night = "at_s: 0, pv_watts: {east: 0, roof: 0}, load_watts: 1000, soc_percent: {east: 5}"
    run = play(parse_scenario(timeline(night)))
    found = {
        name: Expectation(measure=name, inverter="east", reason="meter_reversed", at_most=0).judge(run).value
        for name in EXPECTED_NUMBERS
    }

    assert found == pytest.approx(EXPECTED_NUMBERS, abs=1e-6)


def test_the_scenarios_of_the_folder_can_be_read_and_have_words() -> None:
    scenarios = load_scenarios()

    assert len(scenarios) >= 25
    assert all(load_scenario(SCENARIOS / f"{name}.yaml") == scenario for name, scenario in scenarios.items())
    assert sum(scenario.real_time for scenario in scenarios.values()) >= 5
