import pytest
from msgspec.structs import replace

from orchestrator.samples import ChargeState, OperatingState
from orchestrator.simulation.physics import Controls
from orchestrator.simulation.plant.inverter import SimulatedInverter
from tests.support.plants.virtual_site import BATTERY_ONLY, HYBRID, PV_ONLY


def run(inverter: SimulatedInverter, pv_watts: float, seconds: float = 10) -> SimulatedInverter:
    """The same inverter after some time in this light."""
    for _ in range(round(seconds / 0.05)):
        inverter.advance(0.05, pv_watts)
    return inverter


def test_it_is_throttled_while_pv_is_held_back() -> None:
    inverter = SimulatedInverter("roof", PV_ONLY)
    inverter.controls = Controls(ac_limit_watts=2000)

    assert run(inverter, 5000).operating_state is OperatingState.THROTTLED
    assert run(inverter, 1500).operating_state is OperatingState.MPPT


def test_it_sleeps_at_night_and_stands_by_when_disconnected() -> None:
    inverter = SimulatedInverter("roof", PV_ONLY)

    assert run(inverter, 0).operating_state is OperatingState.SLEEPING
    inverter.controls = Controls(connected=False)
    assert run(inverter, 5000).operating_state is OperatingState.STANDBY


@pytest.mark.parametrize(
    ("soc_percent", "window_watts", "expected"),
    [
        (50, 2000, ChargeState.CHARGING),
        (50, -2000, ChargeState.DISCHARGING),
        (50, 0, ChargeState.HOLDING),
        (100, 0, ChargeState.FULL),
        (5, 0, ChargeState.EMPTY),
    ],
)
def test_the_charge_state_says_what_the_battery_does(
    soc_percent: float, window_watts: float, expected: ChargeState
) -> None:
    inverter = SimulatedInverter("east", HYBRID)
    inverter.set_soc(soc_percent)
    inverter.controls = replace(inverter.controls, low_watts=window_watts, high_watts=window_watts)

    assert run(inverter, 3000, seconds=2).charge_state is expected


def test_counters_count_each_direction_of_the_battery() -> None:
    inverter = SimulatedInverter("east", HYBRID)
    fresh = SimulatedInverter("east", HYBRID)
    run(inverter, 3000, seconds=60)
    charged_wh = inverter.charged_wh - fresh.charged_wh

    assert charged_wh == pytest.approx(3000 / 60, rel=0.05)
    assert inverter.pv_wh - fresh.pv_wh == pytest.approx(charged_wh, rel=0.05)
    assert inverter.discharged_wh == fresh.discharged_wh


def test_a_sample_says_what_there_is() -> None:
    hybrid = SimulatedInverter("east", HYBRID).sample(7.0)
    pv_only = SimulatedInverter("roof", PV_ONLY).sample(7.0)

    assert hybrid.at_s == 7.0
    assert hybrid.battery is not None
    assert hybrid.battery.soc_percent == 50
    assert (hybrid.battery.charge_max_watts, hybrid.battery.discharge_max_watts) == (5000, 4000)
    assert hybrid.battery_controllable
    assert pv_only.battery is None
    assert not pv_only.battery_controllable
    assert not SimulatedInverter("cellar", BATTERY_ONLY).sample(0).has_pv


def test_an_inverter_without_battery_has_no_state_of_charge() -> None:
    with pytest.raises(ValueError, match="roof has no battery"):
        SimulatedInverter("roof", PV_ONLY).set_soc(50)


def test_a_cold_battery_and_one_that_is_held_back_charge_less_than_they_say() -> None:
    cold, held = SimulatedInverter("east", HYBRID), SimulatedInverter("west", HYBRID)
    cold.set_temperature(5.0)
    held.set_accepted(charge_watts=700.0)

    assert run(cold, 6000).state.battery_watts == pytest.approx(2500, abs=5)
    assert run(held, 6000).state.battery_watts == pytest.approx(700, abs=5)
    assert held.sample(0.0).nameplate.charge_max_watts == 5000
    held.set_accepted()
    assert run(held, 6000).state.battery_watts == pytest.approx(5000, abs=5)


def test_the_lower_of_cold_and_management_counts_and_discharging_knows_no_cold() -> None:
    inverter = SimulatedInverter("east", HYBRID)
    inverter.set_temperature(5.0)
    inverter.set_accepted(charge_watts=3000.0, discharge_watts=500.0)
    charging = run(inverter, 6000).state.battery_watts
    inverter.controls = Controls(low_watts=-2000, high_watts=-2000)

    assert charging == pytest.approx(2500, abs=5)
    assert run(inverter, 0).state.battery_watts == pytest.approx(-500, abs=5)


@pytest.mark.parametrize("change", ["set_temperature", "set_accepted", "set_soc"])
def test_without_a_battery_there_is_nothing_to_set(change: str) -> None:
    with pytest.raises(ValueError, match="roof has no battery"):
        getattr(SimulatedInverter("roof", PV_ONLY), change)(5.0)
