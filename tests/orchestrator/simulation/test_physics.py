"""The laws of one inverter, whatever it was told and whatever the light did."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.config.simulation import BatterySimulation, InverterSimulation
from orchestrator.simulation.physics import (
    Controls,
    PowerRange,
    PowerState,
    ac_output_max,
    advance_inverter,
    battery_range,
    to_ac,
    to_dc,
    warm_part,
)
from tests.support.plants.virtual_site import BATTERY, BATTERY_ONLY, HYBRID, PV_ONLY

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

ROUNDING_WATTS = 1e-6
watts = st.floats(0, 9000)
window_watts = st.floats(-6000, 6000)

batteries = st.builds(
    BatterySimulation,
    capacity_wh=st.floats(0.5, 3) | st.floats(5, 20000),
    charge_watts=st.floats(100, 6000),
    discharge_watts=st.floats(100, 6000),
    efficiency_percent=st.floats(80, 100),
)
inverters = st.builds(
    InverterSimulation,
    pv_peak_watts=watts,
    ac_rating_watts=st.floats(500, 8000),
    efficiency_percent=st.floats(80, 100),
    lag_s=st.sampled_from([0.0, 0.3, 0.8, 5.0]),
    ramp_percent_per_s=st.sampled_from([5.0, 100.0, 1000.0]),
    discharge_goes_first=st.booleans(),
    battery=st.none() | batteries,
)


@st.composite
def all_controls(draw: st.DrawFn) -> Controls:
    window = sorted((draw(window_watts), draw(window_watts)))
    return Controls(
        connected=draw(st.integers(0, 9)) > 0,
        ac_limit_watts=draw(st.none() | watts),
        low_watts=draw(st.sampled_from([None, window[0]])),
        high_watts=draw(st.sampled_from([None, window[1]])),
        grid_charging=draw(st.booleans()),
        reserve_percent=draw(st.sampled_from([0.0, 10.0])),
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[InverterSimulation, list[tuple[Controls, float, float]]]:
    """An inverter, and what it lives through: controls, light, and the time they last."""
    moments = st.tuples(all_controls(), watts, st.sampled_from([0.05, 0.2, 1.0]))
    return draw(inverters), draw(st.lists(moments, min_size=1, max_size=12))


def live(
    inverter: InverterSimulation, moments: list[tuple[Controls, float, float]]
) -> Iterator[tuple[Controls, float, PowerState, PowerState]]:
    """Each step with the state before it and the state after it."""
    capacity_wh = inverter.battery.capacity_wh if inverter.battery else 0.0
    state = PowerState(stored_wh=capacity_wh / 2)
    for controls, pv_watts, dt_s in moments:
        after = advance_inverter(inverter, controls, state, pv_available_watts=pv_watts, dt_s=dt_s)
        yield controls, dt_s, state, after
        state = after


def settle(inverter: InverterSimulation, controls: Controls, pv_watts: float, soc_percent: float = 50) -> PowerState:
    """Where the inverter is after 20 s; its battery is so fast to settle that its SoC hardly moves."""
    stored_wh = inverter.battery.capacity_wh * soc_percent / 100 if inverter.battery else 0.0
    state = PowerState(stored_wh=stored_wh)
    for _ in range(400):
        state = advance_inverter(inverter, controls, state, pv_available_watts=pv_watts, dt_s=0.05)
        state = replace(state, stored_wh=stored_wh)
    return state


@given(history=histories())
def test_pv_is_ac_plus_battery_plus_the_losses_of_the_converter(
    history: tuple[InverterSimulation, list[tuple[Controls, float, float]]],
) -> None:
    inverter, moments = history
    for _, _, _, state in live(inverter, moments):
        dc_watts = state.pv_watts - state.battery_watts
        lost_part = 1 - inverter.efficiency_percent / 100
        lost_watts = dc_watts * lost_part if dc_watts >= 0 else -state.ac_watts * lost_part

        assert state.losses_watts == pytest.approx(lost_watts, abs=ROUNDING_WATTS)
        assert state.losses_watts >= -ROUNDING_WATTS


@given(history=histories())
def test_no_power_leaves_its_physical_range(
    history: tuple[InverterSimulation, list[tuple[Controls, float, float]]],
) -> None:
    inverter, moments = history
    charge_watts = inverter.battery.charge_watts if inverter.battery else 0.0
    discharge_watts = inverter.battery.discharge_watts if inverter.battery else 0.0
    for _, _, _, state in live(inverter, moments):
        assert 0 <= state.pv_watts <= state.pv_available_watts
        assert abs(state.ac_watts) <= inverter.ac_rating_watts + ROUNDING_WATTS
        assert -discharge_watts <= state.battery_watts <= charge_watts


@given(history=histories())
def test_stored_energy_changes_by_what_flows_and_stays_within_the_battery(
    history: tuple[InverterSimulation, list[tuple[Controls, float, float]]],
) -> None:
    inverter, moments = history
    battery = inverter.battery
    for controls, dt_s, before, after in live(inverter, moments):
        capacity_wh = battery.capacity_wh if battery else 0.0
        reserve_wh = capacity_wh * controls.reserve_percent / 100
        assert min(before.stored_wh, reserve_wh) - 1e-6 <= after.stored_wh <= capacity_wh
        if battery:
            efficiency = battery.efficiency_percent / 100
            flowed_wh = after.battery_watts * dt_s / 3600
            stored_wh = flowed_wh * efficiency if flowed_wh >= 0 else flowed_wh / efficiency
            assert after.stored_wh - before.stored_wh == pytest.approx(stored_wh, abs=1e-6)


@given(history=histories())
def test_without_permission_a_battery_never_charges_from_ac(
    history: tuple[InverterSimulation, list[tuple[Controls, float, float]]],
) -> None:
    inverter, moments = history
    for controls, _, _, state in live(inverter, moments):
        if not controls.grid_charging:
            assert state.ac_watts >= -ROUNDING_WATTS


@given(history=histories())
def test_a_disconnected_inverter_exchanges_nothing_with_ac(
    history: tuple[InverterSimulation, list[tuple[Controls, float, float]]],
) -> None:
    inverter, moments = history
    for controls, _, _, state in live(inverter, moments):
        if not controls.connected:
            assert state.ac_watts == pytest.approx(0, abs=ROUNDING_WATTS)


@given(history=histories())
def test_output_that_is_under_its_limit_stays_under_it(
    history: tuple[InverterSimulation, list[tuple[Controls, float, float]]],
) -> None:
    inverter, moments = history
    for controls, _, before, after in live(inverter, moments):
        limit_watts = ac_output_max(inverter, controls)
        if before.ac_watts <= limit_watts:
            assert after.ac_watts <= limit_watts + ROUNDING_WATTS


@settings(deadline=None)
@given(inverter=inverters, controls=all_controls(), pv_watts=watts)
def test_a_settled_inverter_keeps_its_limit(inverter: InverterSimulation, controls: Controls, pv_watts: float) -> None:
    quick = inverter.model_copy(update={"lag_s": 0.5, "ramp_percent_per_s": 1000.0})

    assert settle(quick, controls, pv_watts).ac_watts <= ac_output_max(quick, controls) + 1


@settings(deadline=None)
@given(inverter=inverters, controls=all_controls(), pv_watts=watts)
def test_a_settled_battery_is_never_above_its_window(
    inverter: InverterSimulation, controls: Controls, pv_watts: float
) -> None:
    quick = inverter.model_copy(update={"lag_s": 0.5, "ramp_percent_per_s": 1000.0})
    if quick.battery is None or controls.high_watts is None or controls.high_watts < 0:
        return

    assert settle(quick, controls, pv_watts).battery_watts <= controls.high_watts + 1


@given(ac_watts=st.floats(-9000, 9000))
def test_to_dc_undoes_to_ac(ac_watts: float) -> None:
    assert to_ac(HYBRID, to_dc(HYBRID, ac_watts)) == pytest.approx(ac_watts)


def test_a_hybrid_left_alone_charges_from_its_own_pv_first() -> None:
    state = settle(HYBRID, Controls(), pv_watts=3000)

    assert state.battery_watts == pytest.approx(3000, abs=1)
    assert state.ac_watts == pytest.approx(0, abs=1)


def test_a_hybrid_left_alone_sends_out_what_its_battery_does_not_take() -> None:
    state = settle(HYBRID, Controls(), pv_watts=6000)

    assert state.battery_watts == pytest.approx(5000, abs=1)
    assert state.ac_watts == pytest.approx(970, abs=1)


def test_a_battery_left_alone_does_not_discharge() -> None:
    assert settle(HYBRID, Controls(), pv_watts=0).battery_watts == 0
    assert settle(BATTERY_ONLY, Controls(), pv_watts=0).battery_watts == 0


def test_pv_charges_the_battery_behind_an_ac_limit_of_zero() -> None:
    state = settle(HYBRID, Controls(ac_limit_watts=0), pv_watts=4000)

    assert state.ac_watts == pytest.approx(0, abs=1)
    assert state.battery_watts == pytest.approx(4000, abs=1)
    assert not state.curtailed


def test_pv_that_neither_ac_nor_battery_takes_is_curtailed() -> None:
    state = settle(HYBRID, Controls(ac_limit_watts=970, low_watts=0, high_watts=2000), pv_watts=6000)

    assert state.pv_watts == pytest.approx(3000, abs=1)
    assert state.curtailed


def test_an_ac_limit_does_not_limit_what_is_drawn_from_ac() -> None:
    controls = Controls(ac_limit_watts=0, low_watts=3000, high_watts=3000, grid_charging=True)

    assert settle(HYBRID, controls, pv_watts=0).ac_watts == pytest.approx(-3000 / 0.97, abs=1)


def test_a_permission_to_charge_from_ac_ends_at_once_whatever_the_ramp() -> None:
    slow = HYBRID.model_copy(update={"ramp_percent_per_s": 5.0})
    state = PowerState(ac_watts=-2000, battery_watts=1940, stored_wh=5000)

    assert advance_inverter(slow, Controls(), state, pv_available_watts=1000, dt_s=0.05).ac_watts == 0


def test_discharging_gives_way_to_pv_under_an_ac_limit() -> None:
    controls = Controls(ac_limit_watts=3880, low_watts=-3000, high_watts=-3000)
    state = settle(HYBRID, controls, pv_watts=2500)

    assert state.ac_watts == pytest.approx(3880, abs=1)
    assert state.pv_watts == pytest.approx(2500, abs=1)
    assert state.battery_watts == pytest.approx(-1500, abs=1)


def test_pv_gives_way_to_discharging_where_a_make_keeps_to_the_window_of_its_battery() -> None:
    controls = Controls(ac_limit_watts=3880, low_watts=-3000, high_watts=-3000)
    state = settle(HYBRID.model_copy(update={"discharge_goes_first": True}), controls, pv_watts=2500)

    assert state.ac_watts == pytest.approx(3880, abs=1)
    assert state.pv_watts == pytest.approx(1000, abs=1)
    assert state.battery_watts == pytest.approx(-3000, abs=1)


def test_forced_charging_beyond_pv_draws_from_ac_only_with_permission() -> None:
    window = Controls(low_watts=4000, high_watts=4000)

    assert settle(HYBRID, window, pv_watts=1000).battery_watts == pytest.approx(1000, abs=1)
    assert settle(HYBRID, replace(window, grid_charging=True), pv_watts=1000).battery_watts == pytest.approx(
        4000, abs=1
    )


def test_forced_discharging_goes_beyond_pv() -> None:
    state = settle(HYBRID, Controls(low_watts=-2000, high_watts=-2000), pv_watts=1000)

    assert state.battery_watts == pytest.approx(-2000, abs=1)
    assert state.ac_watts == pytest.approx(2910, abs=1)


def test_output_follows_a_new_limit_with_lag_and_ramp() -> None:
    state = settle(PV_ONLY, Controls(), pv_watts=8000)
    limited = Controls(ac_limit_watts=4000)
    first = advance_inverter(PV_ONLY, limited, state, pv_available_watts=8000, dt_s=0.1)
    gentle = PV_ONLY.model_copy(update={"ramp_percent_per_s": 10.0})
    ramped = advance_inverter(gentle, limited, state, pv_available_watts=8000, dt_s=0.1)

    assert first.ac_watts == pytest.approx(7760 - 3760 * 0.1175, abs=1)
    assert ramped.ac_watts == pytest.approx(state.ac_watts - 80, abs=0.001)


def test_a_battery_that_ramps_slowly_does_not_hold_up_the_output() -> None:
    inverter = HYBRID.model_copy(update={"ac_rating_watts": 20000, "ramp_percent_per_s": 20.0})
    state = PowerState(ac_watts=3880, battery_watts=-4000, stored_wh=5000)
    after = advance_inverter(inverter, Controls(ac_limit_watts=0), state, pv_available_watts=0, dt_s=1)

    # 680 W with the ramp of 4000 W a second, the other 3200 W with the lag of 0.8 s for what is left of the second.
    assert after.ac_watts == pytest.approx(3200 * math.exp(-0.83 / 0.8), abs=1)


def test_a_cloud_takes_output_at_once() -> None:
    state = settle(PV_ONLY, Controls(), pv_watts=6000)
    after = advance_inverter(PV_ONLY, Controls(), state, pv_available_watts=2000, dt_s=0.05)

    assert after.pv_watts == 2000


@pytest.mark.parametrize(("soc_percent", "part"), [(94, 1.0), (97.5, 0.5), (99, 0.2), (100, 0.0)])
def test_charging_tapers_near_full(soc_percent: float, part: float) -> None:
    possible = battery_range(BATTERY, Controls(), BATTERY.capacity_wh * soc_percent / 100, dt_s=0.05)

    assert possible.high_watts == pytest.approx(5000 * part)


@pytest.mark.parametrize(("soc_percent", "part"), [(20, 1.0), (11.5, 0.5), (10, 0.0), (4, 0.0)])
def test_discharging_stops_at_the_reserve(soc_percent: float, part: float) -> None:
    controls = Controls(reserve_percent=10)
    possible = battery_range(BATTERY, controls, BATTERY.capacity_wh * soc_percent / 100, dt_s=0.05)

    assert possible.low_watts == pytest.approx(-4000 * part)


def test_a_long_step_neither_overfills_the_battery_nor_goes_below_its_reserve() -> None:
    tiny = BATTERY.model_copy(update={"capacity_wh": 1.0})
    filling = battery_range(tiny, Controls(), stored_wh=0.9, dt_s=10)
    emptying = battery_range(tiny, Controls(reserve_percent=50), stored_wh=0.6, dt_s=10)

    assert filling.high_watts == pytest.approx(0.1 * 360 / 0.97)
    assert emptying.low_watts == pytest.approx(-0.1 * 360 * 0.97)


def test_battery_speed_fills_the_battery_faster_without_more_power() -> None:
    before = PowerState(battery_watts=3000, stored_wh=5000)
    controls = Controls(low_watts=3000, high_watts=3000)
    slow = advance_inverter(HYBRID, controls, before, pv_available_watts=6000, dt_s=1)
    fast = advance_inverter(HYBRID, controls, before, pv_available_watts=6000, dt_s=1, battery_speed=10)

    assert fast.battery_watts == slow.battery_watts
    assert fast.stored_wh - 5000 == pytest.approx(10 * (slow.stored_wh - 5000))


@given(
    battery_watts=st.floats(-3000, 3000),
    target_watts=st.floats(-3000, 3000),
    limit_watts=st.floats(0, 5000),
    pv_watts=st.floats(0, 5000),
    ramp_percent_per_s=st.sampled_from([20.0, 100.0, 1000.0]),
)
def test_one_step_of_a_second_ends_where_many_short_ones_end(
    *,
    battery_watts: float,
    target_watts: float,
    limit_watts: float,
    pv_watts: float,
    ramp_percent_per_s: float,
) -> None:
    inverter = HYBRID.model_copy(update={"ramp_percent_per_s": ramp_percent_per_s})
    controls = Controls(ac_limit_watts=limit_watts, low_watts=target_watts, high_watts=target_watts, grid_charging=True)
    start = settle(inverter, Controls(low_watts=battery_watts, high_watts=battery_watts), pv_watts)
    whole = advance_inverter(inverter, controls, start, pv_available_watts=pv_watts, dt_s=1.0)
    parts = start
    for _ in range(100):
        parts = advance_inverter(inverter, controls, parts, pv_available_watts=pv_watts, dt_s=0.01)

    # The ramps of AC and battery differ, and which of them is cut on the way is seen only by small steps.
    assert whole.ac_watts == pytest.approx(parts.ac_watts, abs=0.03 * inverter.ac_rating_watts)
    assert whole.battery_watts == pytest.approx(parts.battery_watts, abs=0.03 * inverter.ac_rating_watts)


@pytest.mark.parametrize(("celsius", "part"), [(20, 1.0), (10, 1.0), (5, 0.5), (0, 0.0), (-10, 0.0)])
def test_a_cold_battery_takes_a_part_of_its_power(celsius: float, part: float) -> None:
    assert warm_part(BATTERY, celsius) == pytest.approx(part)


def test_a_battery_may_be_all_or_nothing_in_the_cold() -> None:
    strict = BATTERY.model_copy(update={"cold_below_celsius": 5.0, "no_charge_below_celsius": 5.0})

    assert (warm_part(strict, 5.0), warm_part(strict, 4.9)) == (1.0, 0.0)


def test_what_the_management_of_a_battery_refuses_stays_with_the_pv() -> None:
    state = PowerState(stored_wh=5000)
    for _ in range(20):
        state = advance_inverter(
            HYBRID,
            Controls(ac_limit_watts=0, low_watts=4000, high_watts=4000),
            state,
            pv_available_watts=5000,
            dt_s=1,
            accepted=PowerRange(-100, 800),
        )

    assert state.battery_watts == pytest.approx(800)
    assert state.pv_watts == pytest.approx(800, abs=1)
    assert state.curtailed


def test_a_battery_that_is_suddenly_full_stops_drawing_at_once_however_long_the_step() -> None:
    controls = Controls(ac_limit_watts=100, grid_charging=True)
    full = PowerState(ac_watts=-2000, battery_watts=1940, stored_wh=BATTERY.capacity_wh)
    whole = advance_inverter(HYBRID, controls, full, pv_available_watts=2000, dt_s=1.0)
    parts = full
    for _ in range(100):
        parts = advance_inverter(HYBRID, controls, parts, pv_available_watts=2000, dt_s=0.01)

    assert whole.ac_watts == pytest.approx(parts.ac_watts, abs=1)
    assert whole.ac_watts > 50
