"""Perfect knowledge: what one second could have been, and that nothing real is better."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.simulation import BatterySimulation, InverterSimulation
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.values import PriorityMode
from orchestrator.simulation.measuring.ideal import Ideal, ideal
from orchestrator.simulation.physics import Controls, PowerRange, PowerState, advance_inverter

BATTERY = BatterySimulation(
    capacity_wh=10000, charge_watts=5000, discharge_watts=4000, efficiency_percent=100, reserve_percent=0
)
HYBRID = InverterSimulation(pv_peak_watts=6000, ac_rating_watts=5000, efficiency_percent=100, battery=BATTERY)
ROOF = InverterSimulation(pv_peak_watts=8000, ac_rating_watts=8000, efficiency_percent=100)
CELLAR = InverterSimulation(ac_rating_watts=5000, efficiency_percent=100, battery=BATTERY)


def best(
    *parts: tuple[InverterSimulation, float], load_watts: float, soc_percent: float = 50.0, **wanted: Any
) -> Ideal:
    powers = [
        PowerState(pv_available_watts=light, stored_wh=soc_percent * i.battery.capacity_wh / 100 if i.battery else 0.0)
        for i, light in parts
    ]
    return ideal([i for i, _ in parts], powers, load_watts, SetpointFields(**wanted))


def test_without_limits_all_pv_is_used() -> None:
    found = best((ROOF, 7000), (HYBRID, 4000), load_watts=1000)

    assert (found.pv_watts, found.curtailed_watts, found.imported_watts) == (11000, 0, 0)


def test_surplus_goes_to_the_battery_first_or_to_export_first() -> None:
    first = best((ROOF, 7000), (CELLAR, 0), load_watts=1000, export_limit_watts=2000)
    last = best(
        (ROOF, 7000),
        (CELLAR, 0),
        load_watts=1000,
        export_limit_watts=2000,
        battery_priority_mode=PriorityMode.EXPORT_FIRST,
    )

    assert (first.battery_watts, first.export_watts, first.curtailed_watts) == (5000, 1000, 0)
    assert (last.battery_watts, last.export_watts, last.curtailed_watts) == (4000, 2000, 0)


def test_what_a_battery_does_not_let_through_is_not_lost_in_vain() -> None:
    power = PowerState(pv_available_watts=4000, stored_wh=5000, accepted=PowerRange(-4000, 800))
    found = ideal([HYBRID], [power], 1000, SetpointFields(export_limit_watts=0))

    assert found.battery_watts == pytest.approx(800)
    assert found.curtailed_watts == pytest.approx(4000 - 1000 - 800)


@pytest.mark.parametrize(("wanted", "curtailed_watts"), [({"connect": False}, 1000), ({"energize": False}, 6000)])
def test_off_the_grid_only_own_pv_is_stored_and_the_load_is_imported(
    wanted: dict[str, bool], curtailed_watts: float
) -> None:
    found = best((HYBRID, 6000), load_watts=2000, **wanted)

    assert found.imported_watts == pytest.approx(2000)
    assert found.curtailed_watts == pytest.approx(curtailed_watts)


def test_what_load_battery_and_export_cannot_take_is_curtailed() -> None:
    found = best((ROOF, 8000), (HYBRID, 6000), load_watts=500, export_limit_watts=1000)

    assert found.curtailed_watts == pytest.approx(14000 - 500 - 1000 - 5000)
    assert found.pv_watts == pytest.approx(6500)


def test_a_hybrid_stores_what_its_converter_cannot_carry() -> None:
    assert best((HYBRID, 6000), load_watts=9000, soc_percent=100).curtailed_watts == 1000
    assert best((HYBRID, 6000), load_watts=9000, soc_percent=50).curtailed_watts == 0


def test_a_deficit_is_served_by_batteries_as_far_as_they_can() -> None:
    assert best((CELLAR, 0), load_watts=3000).imported_watts == 0
    assert best((CELLAR, 0), load_watts=3000).battery_watts == -3000
    assert best((CELLAR, 0), load_watts=6000).imported_watts == 2000
    assert best((CELLAR, 0), load_watts=3000, soc_percent=10, battery_soc_min_percent=10.0).imported_watts == 3000
    assert best((CELLAR, 0), load_watts=3000, battery_discharge_rate_percent=50.0).imported_watts == 1000


def test_soc_limits_and_rates_bound_what_can_be_stored() -> None:
    full = best((ROOF, 7000), (CELLAR, 0), load_watts=0, export_limit_watts=0.0, battery_soc_max_percent=50.0)
    half = best((ROOF, 7000), (CELLAR, 0), load_watts=0, export_limit_watts=0.0, battery_charge_rate_percent=50.0)

    assert full.curtailed_watts == 7000
    assert half.curtailed_watts == 4500


def test_the_generation_limit_bounds_use_and_supply() -> None:
    found = best((ROOF, 7000), load_watts=6000, generation_limit_watts=4000.0)

    assert (found.curtailed_watts, found.imported_watts) == (3000, 2000)


def test_an_export_target_is_filled_from_batteries_and_grid_charging_makes_import_no_loss() -> None:
    assert best((CELLAR, 0), load_watts=1000, battery_export_target_watts=2000.0).export_watts == 2000
    assert best((CELLAR, 0), load_watts=1000, battery_grid_charging_enabled=True).imported_watts == inf


@given(
    lights_watts=st.tuples(st.floats(0, 8000), st.floats(0, 6000)),
    load_watts=st.floats(0, 12000),
    limit_watts=st.none() | st.floats(0, 10000),
    soc_percent=st.floats(0, 100),
    target_watts=st.floats(-6000, 6000),
)
def test_nothing_that_keeps_the_limit_is_better(
    lights_watts: tuple[float, float],
    load_watts: float,
    limit_watts: float | None,
    soc_percent: float,
    target_watts: float,
) -> None:
    """One settled second of the physics under any command, against the reference for its state of charge."""
    inverters = (ROOF, HYBRID)
    pv_watts, light_watts = lights_watts
    quick = [i.model_copy(update={"lag_s": 0.0, "ramp_percent_per_s": 10000.0}) for i in inverters]
    start = PowerState(stored_wh=soc_percent * 100)
    controls = Controls(low_watts=target_watts, high_watts=target_watts, grid_charging=True)
    hybrid = advance_inverter(quick[1], controls, start, pv_available_watts=light_watts, dt_s=1.0)
    room = None if limit_watts is None else max(load_watts + limit_watts - hybrid.ac_watts, 0.0)
    roof = advance_inverter(
        quick[0], Controls(ac_limit_watts=room), PowerState(), pv_available_watts=pv_watts, dt_s=1.0
    )
    site_watts = load_watts - roof.ac_watts - hybrid.ac_watts
    if limit_watts is not None and -site_watts > limit_watts:
        return  # the hybrid alone exceeds the limit
    before = [
        PowerState(pv_available_watts=light, stored_wh=stored)
        for light, stored in zip(lights_watts, (0.0, start.stored_wh), strict=True)
    ]
    found = ideal(inverters, before, load_watts, SetpointFields(export_limit_watts=limit_watts))

    assert roof.pv_watts + hybrid.pv_watts <= found.pv_watts + 1e-6
    assert max(site_watts, 0.0) >= found.imported_watts - 1e-6
