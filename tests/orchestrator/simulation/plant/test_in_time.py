"""One inverter on its own time line."""

from __future__ import annotations

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
