"""Hybrids whose PV collapses on a turn."""

from __future__ import annotations

import pytest

from orchestrator.simulation.physics import Controls
from orchestrator.simulation.plant.inverter import SimulatedInverter
from orchestrator.simulation.plant.turning import Turning
from tests.support.plants.virtual_site import HYBRID

CHARGING = Controls(low_watts=2000, high_watts=2000)
RESTING = Controls(low_watts=0, high_watts=0)
DISCHARGING = Controls(low_watts=-2000, high_watts=-2000)
TENDER = HYBRID.model_copy(update={"turn_idle_s": 3.0, "collapse_s": 2.0})


@pytest.mark.parametrize(("rest_s", "collapses"), [(0, True), (2, True), (3, False)])
def test_a_turn_without_rest_collapses_the_pv_for_a_while(rest_s: int, collapses: bool) -> None:
    turning = Turning(TENDER)
    turning.advance(CHARGING, 2000.0, 1.0)
    for _ in range(rest_s):
        assert not turning.advance(RESTING, 0.0, 1.0)

    assert [turning.advance(DISCHARGING, 0.0, 1.0) for _ in range(4)] == [collapses, collapses, False, False]


def test_a_battery_that_is_told_to_rest_and_still_charges_does_not_rest() -> None:
    turning = Turning(TENDER)
    turning.advance(CHARGING, 2000.0, 1.0)
    for watts in (900.0, 300.0, 101.0, 50.0, 10.0):
        assert not turning.advance(RESTING, watts, 1.0)

    assert turning.advance(DISCHARGING, 0.0, 1.0)


def test_turning_the_other_way_and_discharging_from_rest_do_no_harm() -> None:
    turning = Turning(TENDER)

    assert not any(turning.advance(controls, 0.0, 1.0) for controls in (DISCHARGING, CHARGING, CHARGING, RESTING))
    assert not any(Turning(TENDER).advance(controls, 0.0, 1.0) for controls in (RESTING, DISCHARGING))


def test_a_robust_inverter_never_collapses() -> None:
    turning = Turning(HYBRID)

    assert not any(turning.advance(controls, 0.0, 1.0) for controls in (CHARGING, DISCHARGING) * 3)


def test_collapsed_pv_makes_nothing_while_the_light_stays() -> None:
    inverter = SimulatedInverter("gen", TENDER)
    inverter.controls = CHARGING
    inverter.advance(1.0, 3000.0)
    inverter.controls = DISCHARGING
    inverter.advance(1.0, 3000.0)

    assert inverter.state.pv_watts == 0
    assert inverter.state.pv_available_watts == 3000
