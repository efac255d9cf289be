"""What single setpoints and single situations do to the commands of one plant in virtual time."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator import control
from orchestrator.commands import BatteryMode, InverterCommand
from orchestrator.config.sections import BatteryConfig
from orchestrator.config.simulation import InverterSimulation
from orchestrator.decide.memory import ControlState
from orchestrator.explain.words import say_all
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, merge
from orchestrator.simulation.scenarios.scenario import SCENARIOS, load_scenario, play
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import DARK, EXAMPLE, SUNNY, battery, plant


def commands(loop: ClosedLoop) -> dict[str, InverterCommand]:
    return {c.inverter: c for c in loop.history[-1].result.commands}


def settled(seconds: float = 30, *, pv: dict[str, float] = SUNNY, load: float = 1000.0, **asked: Any) -> ClosedLoop:
    loop = plant(pv_watts=pv, load_watts=load)
    loop.ask(**asked)
    loop.run(seconds)
    return loop


def battery_watts(loop: ClosedLoop) -> dict[str, float]:
    return {name: i.state.battery_watts for name, i in loop.site.inverters.items() if i.settings.battery}


def test_energize_false_stops_ac_and_idles_batteries() -> None:
    loop = settled(energize=False, connect=False)

    assert [c.ac_limit_watts for c in commands(loop).values()] == [0, 0, 0]
    assert [c.connect for c in commands(loop).values()] == [None, None, None]
    assert all(c.battery.mode is BatteryMode.IDLE for c in commands(loop).values() if c.battery)
    assert loop.true_site_watts == pytest.approx(1000, abs=20)


def test_connect_false_disconnects_everybody_and_releases_batteries_until_it_is_withdrawn() -> None:
    loop = settled(connect=False)

    assert [c.connect for c in commands(loop).values()] == [False, False, False]
    assert all(c.battery.mode is BatteryMode.RELEASE for c in commands(loop).values() if c.battery)
    assert loop.true_site_watts == pytest.approx(1000, abs=20)

    loop.ask()
    loop.run(1)
    assert [c.connect for c in commands(loop).values()] == [True, True, True]
    loop.run(20)
    assert [c.connect for c in commands(loop).values()] == [None, None, None]
    assert loop.true_site_watts < 0


def test_a_connection_nobody_asks_about_is_left_alone() -> None:
    assert {c.connect for c in commands(settled(5)).values()} == {None}


def test_the_generation_limit_caps_the_sum_of_ac_power() -> None:
    loop = settled(generation_limit_watts=6000.0)

    generated = sum(max(i.state.ac_watts, 0) for i in loop.site.inverters.values())
    assert generated == pytest.approx(6000, rel=0.02)


def test_the_generation_limit_holds_for_discharge_too() -> None:
    loop = settled(pv=DARK, load=5000.0, generation_limit_watts=2000.0)

    generated = sum(max(i.state.ac_watts, 0) for i in loop.site.inverters.values())
    assert generated == pytest.approx(2000, rel=0.05)


def test_the_load_limit_caps_charging_from_ac() -> None:
    loop = settled(pv={"east": 0.0, "west": 0.0, "roof": 7500.0}, load_limit_watts=1500.0)

    drawn = sum(max(-i.state.ac_watts, 0) for i in loop.site.inverters.values())
    assert 1500 * 0.98 < drawn <= 1500


@pytest.mark.parametrize(
    ("asked", "east", "west"),
    [
        ({"battery_charge_rate_percent": 40.0}, 2000, 1600),
        ({"battery_charge_max_watts": 3000.0}, 2000, 1000),
        ({"battery_soc_max_percent": 50.0}, 0, 0),
        ({"battery_target_soc_percent": 50.0}, 0, 0),
    ],
)
def test_charging_is_held_back(asked: dict[str, float], east: float, west: float) -> None:
    assert battery_watts(settled(**asked)) == pytest.approx({"east": east, "west": west}, abs=60)


@pytest.mark.parametrize(
    ("asked", "east", "west"),
    [
        ({"battery_discharge_rate_percent": 10.0}, -500, -400),
        ({"battery_discharge_max_watts": 1500.0}, -1000, -500),
        ({"battery_soc_min_percent": 50.0}, 0, 0),
    ],
)
def test_discharging_is_held_back(asked: dict[str, float], east: float, west: float) -> None:
    assert battery_watts(settled(pv=DARK, load=6000.0, **asked)) == pytest.approx({"east": east, "west": west}, abs=60)


@pytest.mark.parametrize("asked_watts", [1500.0, 1480.0, 0.0])
def test_a_small_fall_of_what_batteries_may_do_is_obeyed_at_once(asked_watts: float) -> None:
    loop = settled(pv=DARK, load=6000.0, battery_discharge_max_watts=asked_watts + 20.0)

    loop.ask(battery_discharge_max_watts=asked_watts)
    loop.run(1)

    discharging = sum(-c.battery.watts for c in commands(loop).values() if c.battery)
    assert discharging <= asked_watts + 1e-6


def test_what_export_refuses_charges_above_the_target_soc() -> None:
    loop = settled(60, battery_target_soc_percent=50.0, export_limit_watts=2000.0)
    assert sum(battery_watts(loop).values()) > 5000


def test_charging_towards_the_target_goes_only_to_batteries_below_it() -> None:
    loop = plant()
    loop.site.set_soc("east", 80.0)
    loop.ask(battery_target_soc_percent=70.0)
    loop.run(20)

    assert battery_watts(loop) == pytest.approx({"east": 0, "west": 4000}, abs=60)


def test_the_export_target_is_filled_from_batteries() -> None:
    loop = settled(pv=DARK, battery_export_target_watts=2000.0)
    assert loop.true_site_watts == pytest.approx(-2000, abs=60)


def test_grid_charging_imports_up_to_its_limit_and_the_import_limit() -> None:
    asked: dict[str, Any] = {"battery_grid_charging_enabled": True, "battery_grid_charging_max_watts": 3000.0}
    assert sum(battery_watts(settled(pv=DARK, **asked)).values()) == pytest.approx(3000, rel=0.03)
    limited = settled(pv=DARK, import_limit_watts=2500.0, **asked)
    assert limited.true_site_watts == pytest.approx(2500, rel=0.04)
    wanted = settled(pv=DARK, battery_import_target_watts=3000.0, **asked)
    assert wanted.true_site_watts == pytest.approx(3000, rel=0.04)


@pytest.mark.parametrize(("mode", "low", "high"), [(1, None, 0.0), (2, 0.0, None), (3, 0.0, 0.0), (None, 0.0, 0.0)])
def test_the_storage_mode_narrows_which_side_is_set(mode: int | None, low: float | None, high: float | None) -> None:
    loop = settled(10, pv=DARK, load=0.0, battery_storage_mode=mode)

    for command in commands(loop).values():
        if command.battery:
            assert (command.battery.low_watts, command.battery.high_watts) == (low, high)


def test_storage_mode_zero_releases_the_batteries_and_pv_is_limited_all_the_same() -> None:
    loop = settled(60, battery_storage_mode=0, export_limit_watts=1000.0)

    assert all(c.battery.mode is BatteryMode.RELEASE for c in commands(loop).values() if c.battery)
    assert -loop.true_site_watts <= 1100


def test_without_power_flow_batteries_get_no_command_and_the_buffer_raises_the_export_limit() -> None:
    loop = plant(battery_power_flow=False, battery_charge_buffer_watts=1500.0)
    loop.ask(export_limit_watts=0.0)
    loop.run(40)

    assert all(c.battery is None for c in commands(loop).values())
    assert -loop.true_site_watts == pytest.approx(1500, abs=120)


def test_with_power_flow_the_buffer_is_ignored() -> None:
    loop = plant(battery_charge_buffer_watts=1500.0)
    loop.ask(export_limit_watts=0.0)
    loop.run(40)
    assert -loop.true_site_watts < 100


def test_an_inverter_that_is_only_read_gets_no_command_and_its_power_counts() -> None:
    loop = plant(pv_watts={**SUNNY, "roof": 3500.0})
    inverters = tuple(i.model_copy(update={"control": i.name != "roof"}) for i in loop.config.inverters)
    loop.config = loop.config.model_copy(update={"inverters": inverters})
    loop.ask(export_limit_watts=3000.0)
    moments = loop.run(40)

    assert "roof" not in commands(loop)
    assert max(-m.site_watts for m in moments[10:]) < 3000 + 340


def test_a_battery_that_is_not_ours_gets_no_command() -> None:
    loop = plant()
    first = loop.config.inverters[0].model_copy(update={"battery": BatteryConfig(control=False)})
    loop.config = loop.config.model_copy(update={"inverters": (first, *loop.config.inverters[1:])})
    loop.run(10)

    assert commands(loop)["east"].battery is None
    assert commands(loop)["west"].battery is not None


def test_the_highest_minimum_and_the_lowest_maximum_of_device_and_setpoint_count() -> None:
    loop = plant(pv_watts=DARK, load_watts=3000.0)
    own = BatteryConfig(soc_min_percent=60.0)
    first = loop.config.inverters[0].model_copy(update={"battery": own})
    loop.config = loop.config.model_copy(update={"inverters": (first, *loop.config.inverters[1:])})
    loop.ask(battery_soc_min_percent=10.0)
    loop.run(20)

    assert battery_watts(loop) == pytest.approx({"east": 0, "west": -3000 / 0.97}, abs=80)


def test_before_the_meter_has_spoken_nothing_is_commanded_and_then_the_failsafe_holds() -> None:
    loop = plant()
    loop.meter_silent = True
    loop._meter = None  # type: ignore[assignment]
    loop.ask(export_limit_watts=0.0)
    moments = loop.run(8)

    assert moments[0].result.mode == "waiting"
    assert moments[0].result.commands == ()
    assert moments[-1].result.mode == "failsafe"
    assert [c.ac_limit_watts for c in moments[-1].result.commands] == [0, 0, 0]


def test_a_limit_found_in_a_device_is_raised_step_by_step_not_at_once() -> None:
    loop = plant()
    roof = loop.site.inverters["roof"]
    loop.site.apply(InverterCommand("roof", valid_for_s=60, ac_limit_watts=800.0, ac_limit_reverts=False), 0.0)
    loop.site.advance(5)
    loop.run(1)
    first = commands(loop)["roof"].ac_limit_watts
    assert first is not None
    assert first <= 800 + 0.2 * 8000 + 1
    loop.run(20)
    assert roof.controls.ac_limit_watts is None


def test_every_command_says_why() -> None:
    loop = settled(export_limit_watts=0.0)
    reasons = say_all(commands(loop)["east"].reasons)

    assert reasons[0].startswith("charge 5000 W: at its power limit")
    assert "export limit 0 W (fixed)" in reasons[1]


def test_a_small_site_of_one_battery_inverter_covers_its_load() -> None:
    loop = plant(
        {"bat": InverterSimulation(ac_rating_watts=5000.0, battery=battery(10000.0, 5000.0))}, pv_watts={"bat": 0.0}
    )
    loop.run(20)
    assert abs(loop.true_site_watts) < 60


def test_the_example_has_what_the_issue_asks_for() -> None:
    capacities = {name: i.battery.capacity_wh for name, i in EXAMPLE.items() if i.battery}
    assert capacities == {"east": 10000, "west": 5000}


def test_a_battery_near_full_that_takes_less_is_not_said_to_be_deaf() -> None:
    loop = plant(battery_power_flow=True)
    loop.site.set_soc("west", 98.0)
    loop.run(60)

    assert loop.history[-1].result.not_following == ()


def test_batteries_are_fed_from_held_back_pv_no_faster_than_its_limit_may_rise() -> None:
    inverters = {
        "pv": InverterSimulation(pv_peak_watts=8000.0, ac_rating_watts=8000.0),
        "bat": InverterSimulation(ac_rating_watts=5000.0, battery=battery(10000.0, 5000.0)),
    }
    loop = plant(inverters, pv_watts={"pv": 7000.0})
    slow = loop.config.inverters[0].model_copy(update={"ramp_watts_per_s": 100.0})
    loop.config = loop.config.model_copy(update={"inverters": (slow, *loop.config.inverters[1:])})
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=0.0)
    loop.run(30)
    loop.ask(export_limit_watts=0.0)
    moments = loop.run(30)

    assert max(m.site_watts for m in moments) < 150
    assert moments[-1].result.totals.battery_watts > 1500


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["clouds", "meter_silent"])
def test_a_step_that_need_not_explain_decides_the_same(name: str) -> None:
    scenario = load_scenario(SCENARIOS / f"{name}.yaml")
    scenario = scenario.model_copy(update={"duration_s": min(scenario.duration_s, 300.0)})
    explained = play(scenario).moments
    silent = play(scenario, partial(control.step, explain=False)).moments

    assert [replace(c, reasons=()) for m in explained for c in m.commands] == [c for m in silent for c in m.commands]
    assert [m.powers for m in explained] == [m.powers for m in silent]
    assert all(c.reasons for m in explained for c in m.commands if c.battery)


def test_a_battery_above_its_maximum_is_held_at_nothing_while_the_meter_is_silent() -> None:
    loop = settled(10)
    loop.meter_silent = True
    loop.run(8)
    assert all(c.battery.high_watts for c in commands(loop).values() if c.battery)

    loop.ask(battery_soc_max_percent=40.0)
    loop.run(1)
    assert [c.battery.high_watts for c in commands(loop).values() if c.battery] == [0.0, 0.0]


def test_room_that_charging_from_ac_made_ends_in_the_same_step_as_the_charging() -> None:
    asked: dict[str, Any] = {"export_limit_watts": 0.0}
    loop = settled(pv={"east": 0.0, "west": 0.0, "roof": 7500.0}, **asked)
    assert sum(battery_watts(loop).values()) > 5000

    loop.ask(load_limit_watts=0.0, **asked)
    loop.run(1)
    limit = commands(loop)["roof"].ac_limit_watts
    assert limit is not None
    assert limit < 1500


def test_connect_false_holds_at_nothing_what_cannot_disconnect() -> None:
    snapshot = settled(3).history[-1].result.snapshot
    apart = tuple(replace(sample, disconnectable=sample.name == "west") for sample in snapshot.inverters)
    asked = merge([Setpoint("fixed", SetpointFields(connect=False))])
    result = control.step(plant().config, ControlState(), replace(snapshot, inverters=apart), asked, snapshot.at_s)
    by_name = {c.inverter: c for c in result.commands}

    assert {name: c.connect for name, c in by_name.items()} == {"east": None, "west": False, "roof": None}
    assert by_name["east"].ac_limit_watts == by_name["roof"].ac_limit_watts == 0
    assert by_name["east"].battery is not None
    assert (by_name["east"].battery.low_watts, by_name["east"].battery.high_watts) == (0.0, 0.0)
    assert by_name["west"].battery is not None
    assert by_name["west"].battery.mode is BatteryMode.RELEASE
    assert "does not disconnect: AC limit 0 W in its place, connect false (fixed)" in say_all(by_name["roof"].reasons)
    assert not any("disconnected" in reason for reason in say_all(by_name["roof"].reasons))
    assert any(reason.startswith("battery idle: connect false") for reason in say_all(by_name["east"].reasons))


def test_connect_false_holds_at_nothing_what_was_told_to_disconnect_and_has_not() -> None:
    loop = settled(3)
    snapshot = loop.history[-1].result.snapshot
    asked = merge([Setpoint("fixed", SetpointFields(connect=False))])
    first = control.step(loop.config, ControlState(), snapshot, asked, snapshot.at_s)
    deaf = replace(snapshot, inverters=tuple(replace(each, connected=True) for each in snapshot.inverters))
    second = control.step(loop.config, first.state, deaf, asked, snapshot.at_s + 1)

    assert [(c.connect, c.ac_limit_watts) for c in second.commands] == [(False, 0.0)] * 3
    assert any(c.ac_limit_watts != 0 for c in first.commands)
