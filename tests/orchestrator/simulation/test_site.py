import pytest

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.simulation import LoadSimulation, MeterSimulation, SunSimulation
from orchestrator.simulation.site import VirtualSite
from tests.support.plants.virtual_site import BATTERY_ONLY, HYBRID, PV_ONLY, site_config


def steady_site(pv_watts: float = 0, load_watts: float = 1000) -> VirtualSite:
    """A site in which nothing changes by itself."""
    site = VirtualSite(site_config(meter=MeterSimulation(period_s=0.05)))
    for name in site.inverters:
        site.set_pv_available(name, pv_watts)
    site.set_load(load_watts)
    return site


def battery_of(site: VirtualSite, name: str = "east") -> float:
    battery = site.inverter_sample(name, 0).battery
    assert battery is not None
    assert battery.watts is not None
    return battery.watts


def window(watts: float, grid_charging: bool | None = None) -> BatteryCommand:
    mode = BatteryMode.CHARGE if watts > 0 else BatteryMode.DISCHARGE
    return BatteryCommand(mode, watts, low_watts=watts, high_watts=watts, grid_charging=grid_charging)


def test_the_meter_is_the_load_less_all_ac() -> None:
    site = VirtualSite(site_config(meter=MeterSimulation(period_s=0.05), sun=SunSimulation(period_s=60)))
    for _ in range(100):
        site.advance(0.3)
        ac_watts = sum(site.inverter_sample(name, 0).ac_watts or 0 for name in site.inverters)

        assert site.meter_sample(0).site_watts == pytest.approx(site.load_watts - ac_watts)


def test_the_same_seed_and_steps_give_the_same_day() -> None:
    days = [VirtualSite(site_config(seed=seed, sun=SunSimulation(period_s=60))) for seed in (1, 1, 2)]
    for site in days:
        site.advance(20)

    assert days[0].meter_sample(0) == days[1].meter_sample(0)
    assert days[0].meter_sample(0) != days[2].meter_sample(0)


def test_one_long_step_is_many_short_ones() -> None:
    long, short = VirtualSite(site_config()), VirtualSite(site_config())
    long.advance(10)
    for _ in range(200):
        short.advance(0.05)

    assert long.meter_sample(0).site_watts == pytest.approx(short.meter_sample(0).site_watts, abs=0.01)


def test_an_ac_limit_is_obeyed_and_reverts() -> None:
    site = steady_site(pv_watts=4000)
    site.apply(InverterCommand("roof", valid_for_s=10, ac_limit_watts=1000), now_s=0)
    site.advance(9)
    limited = site.inverter_sample("roof", 0)
    site.advance(10)

    assert limited.ac_watts == pytest.approx(1000, abs=5)
    assert limited.ac_limit_watts == 1000
    assert site.inverter_sample("roof", 0).ac_watts == pytest.approx(4000 * 0.97, abs=5)
    assert site.inverter_sample("roof", 0).ac_limit_watts is None


def test_an_ac_limit_that_does_not_revert_stays() -> None:
    site = steady_site(pv_watts=4000)
    command = InverterCommand("roof", valid_for_s=10, ac_limit_watts=1000, ac_limit_reverts=False)
    site.apply(command, now_s=0)
    site.advance(60)

    assert site.inverter_sample("roof", 0).ac_watts == pytest.approx(1000, abs=5)


def test_a_battery_window_is_obeyed_and_reverts_to_the_devices_own_default() -> None:
    site = steady_site(pv_watts=2000)
    site.apply(InverterCommand("east", valid_for_s=10, battery=window(-1500)), now_s=0)
    site.advance(9)
    commanded_watts = battery_of(site)
    site.advance(10)

    assert commanded_watts == pytest.approx(-1500, abs=5)
    assert battery_of(site) == pytest.approx(2000, abs=5)


def test_a_repeated_command_does_not_revert() -> None:
    site = steady_site(pv_watts=2000)
    for _ in range(5):
        site.apply(InverterCommand("east", valid_for_s=10, ac_limit_watts=500, battery=window(-1500)), now_s=0)
        site.advance(6)

    assert site.inverter_sample("east", 0).ac_limit_watts == 500


def test_registers_and_their_timers_act_on_the_same_inverter() -> None:
    site = steady_site(pv_watts=4000)
    device = site.devices["roof"]
    device.write(device.registers.address("123.WMaxLimPct"), (1250, 0, 10, 0, 1), site.now_s)
    site.advance(9)
    limited = site.inverter_sample("roof", 0)
    site.advance(10)

    assert limited.ac_watts == pytest.approx(1000, abs=5)
    assert site.inverter_sample("roof", 0).ac_watts == pytest.approx(4000 * 0.97, abs=5)


def test_disconnecting_lasts_as_long_as_the_command() -> None:
    site = steady_site(pv_watts=4000)
    site.apply(InverterCommand("roof", valid_for_s=10, connect=False), now_s=0)
    site.advance(9)
    apart = site.inverter_sample("roof", 0)
    site.advance(10)

    assert apart.connected is False
    assert apart.ac_watts == 0
    assert site.inverter_sample("roof", 0).ac_watts == pytest.approx(4000 * 0.97, abs=5)


def test_grid_charging_is_allowed_and_put_back() -> None:
    site = steady_site()
    site.apply(InverterCommand("east", valid_for_s=60, battery=window(2000, grid_charging=True)), now_s=0)
    site.advance(10)
    allowed_watts = battery_of(site)
    site.apply(InverterCommand("east", valid_for_s=60, battery=window(2000)), now_s=10)
    site.advance(10)

    assert allowed_watts == pytest.approx(2000, abs=5)
    assert battery_of(site) == 0


def test_released_batteries_and_commands_without_a_battery_part() -> None:
    site = steady_site(pv_watts=2000)
    site.apply(InverterCommand("east", valid_for_s=600, battery=window(-1500)), now_s=0)
    site.apply(InverterCommand("east", valid_for_s=600), now_s=0)
    site.advance(10)
    left_watts = battery_of(site)
    site.apply(InverterCommand("east", valid_for_s=600, battery=BatteryCommand.release()), now_s=10)
    site.advance(10)

    assert left_watts == pytest.approx(-1500, abs=5)
    assert battery_of(site) == pytest.approx(2000, abs=5)


def test_commands_are_remembered_with_their_time() -> None:
    site = steady_site()
    command = InverterCommand("east", valid_for_s=10)
    site.apply(command, now_s=42.0)

    assert site.commands == [(42.0, command)]


def test_the_time_of_the_last_change_is_told_in_the_callers_clock() -> None:
    site = VirtualSite(site_config(meter=MeterSimulation(period_s=1), load=LoadSimulation(noise_watts=20)))
    site.advance(10.5)
    sample = site.meter_sample(at_s=1000.0)

    assert sample.at_s == 1000.0
    assert 0.4 < sample.at_s - sample.changed_at_s < 0.6


def test_knobs_can_be_given_back() -> None:
    site = steady_site(pv_watts=5000, load_watts=99)
    site.set_pv_available("roof", None)
    site.set_load(None)
    site.set_soc("east", 80)
    site.advance(0.05)

    assert site.load_watts != 99
    assert site.inverters["roof"].state.pv_available_watts != 5000
    assert site.inverters["east"].soc_percent == pytest.approx(80, abs=0.1)


def test_a_battery_inverter_without_pv_makes_no_pv() -> None:
    site = VirtualSite(site_config({"cellar": BATTERY_ONLY}))
    site.advance(5)
    sample = site.inverter_sample("cellar", 0)

    assert (sample.pv_watts, sample.ac_watts) == (0, 0)


def test_a_site_without_simulation_is_refused() -> None:
    config = site_config().model_copy(update={"simulation": None})

    with pytest.raises(ValueError, match="no section `simulation:`"):
        VirtualSite(config)


def test_a_simulated_inverter_must_be_one_of_the_site() -> None:
    whole = site_config({"east": HYBRID, "roof": PV_ONLY})
    config = whole.model_copy(update={"inverters": whole.inverters[:1]})

    with pytest.raises(ValueError, match=r"simulation\.inverters names roof"):
        VirtualSite(config)


def test_no_simulated_inverter_can_be_called_meter() -> None:
    with pytest.raises(ValueError, match="cannot be called `meter`"):
        VirtualSite(site_config({"meter": PV_ONLY}))
