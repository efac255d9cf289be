"""One inverter on its own time line."""

from __future__ import annotations

from math import inf

import pytest

from orchestrator.commands import InverterCommand
from orchestrator.simulation.plant.in_time import InverterInTime
from orchestrator.simulation.plant.inverter import SimulatedInverter
from tests.support.plants.virtual_site import PV_ONLY


def roof(pv_watts: float = 5000.0) -> InverterInTime:
    unit = InverterInTime(SimulatedInverter("roof", PV_ONLY), lambda _at_s: pv_watts)
    unit.advance_to(20.0)
    return unit


def limit(watts: float, valid_for_s: float = 60.0) -> InverterCommand:
    return InverterCommand("roof", valid_for_s=valid_for_s, ac_limit_watts=watts)


def test_a_command_has_its_effect_from_when_it_arrives() -> None:
    unit = roof()
    unit.send(limit(1000.0), arrives_at_s=21.0)
    unit.advance_to(20.9)
    before = unit.inverter.state.ac_watts
    unit.advance_to(30.0)

    assert before == pytest.approx(4850, abs=1)
    assert unit.inverter.state.ac_watts == pytest.approx(1000, abs=1)


def test_where_a_step_is_divided_makes_no_difference() -> None:
    whole, divided = roof(), roof()
    for unit in (whole, divided):
        unit.send(limit(1000.0), arrives_at_s=20.3)
    whole.advance_to(21.0)
    for at_s in (20.1, 20.3, 20.45, 20.9, 21.0):
        divided.advance_to(at_s)

    assert whole.inverter.state.ac_watts == pytest.approx(divided.inverter.state.ac_watts, abs=1e-6)


def test_a_revert_timer_counts_from_the_last_arrival() -> None:
    unit = roof()
    unit.send(limit(1000.0, valid_for_s=10.0), arrives_at_s=21.0)
    unit.send(limit(1000.0, valid_for_s=10.0), arrives_at_s=26.0)
    unit.advance_to(35.9)
    held = unit.inverter.controls.ac_limit_watts
    unit.advance_to(36.1)

    assert held == 1000
    assert unit.inverter.controls.ac_limit_watts is None


def test_commands_do_not_overtake_each_other() -> None:
    unit = roof()
    unit.send(limit(1000.0), arrives_at_s=22.0)
    unit.send(limit(3000.0, valid_for_s=10.0), arrives_at_s=21.0)
    unit.advance_to(31.5)

    assert unit.inverter.controls.ac_limit_watts == 3000  # it arrived at 22 s


def test_what_is_on_its_way_is_lost_with_the_connection() -> None:
    unit = roof()
    unit.send(limit(1000.0), arrives_at_s=21.0)
    unit.lose_commands()
    unit.advance_to(25.0)

    assert unit.inverter.controls.ac_limit_watts is None


def test_time_never_goes_back() -> None:
    unit = roof()
    unit.advance_to(10.0)

    assert unit.now_s == 20.0


def limited_roof() -> InverterInTime:
    unit = roof()
    unit.send(limit(1000.0), arrives_at_s=21.0)
    unit.advance_to(30.0)
    assert unit.inverter.state.ac_watts == pytest.approx(1000, abs=1)
    return unit


def test_one_that_forgets_what_it_was_told_makes_what_it_can() -> None:
    unit = limited_roof()
    unit.receiver.forget()
    unit.advance_to(40.0)

    assert unit.inverter.state.ac_watts == pytest.approx(4850, abs=1)
    assert unit.receiver.next_revert_s == inf


def test_without_power_it_makes_nothing_and_comes_back_without_any_limit() -> None:
    unit = limited_roof()
    unit.send(limit(500.0), arrives_at_s=31.0)
    unit.cut_power()
    unit.advance_to(40.0)
    made_without_power = unit.inverter.state.ac_watts
    unit.restore_power()
    unit.advance_to(60.0)

    assert made_without_power == pytest.approx(0, abs=1)
    assert unit.inverter.state.ac_watts == pytest.approx(4850, abs=1)


def test_one_that_ignores_commands_keeps_the_last_one_until_its_own_timer_ends() -> None:
    unit = limited_roof()
    unit.receiver.ignores_commands = True
    unit.send(limit(2000.0), arrives_at_s=50.0)
    unit.advance_to(80.0)
    held_watts = unit.inverter.state.ac_watts
    unit.advance_to(95.0)

    assert held_watts == pytest.approx(1000, abs=1)
    assert unit.inverter.state.ac_watts == pytest.approx(4850, abs=1)
