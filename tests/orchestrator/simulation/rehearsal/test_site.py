"""A site to rehearse: what site.yaml says, and what is assumed."""

from __future__ import annotations

import pytest

from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import LoadSimulation, SimulationConfig, SunSimulation
from orchestrator.simulation.plant.weather import sunlight
from orchestrator.simulation.rehearsal.site import HOUSEHOLD, RATING_WATTS, Weather, site_to_rehearse
from tests.support.plants.virtual_site import HYBRID, PV_ONLY
from tests.support.plants.virtual_site import site_config as virtual_site
from tests.support.records.cycles import site_config as real_site


def simulation_of(config: SiteConfig, weather: Weather = Weather.CLEAR) -> SimulationConfig:
    simulation = site_to_rehearse(config, weather).config.simulation
    assert simulation is not None
    return simulation


def said(config: SiteConfig, weather: Weather = Weather.CLEAR) -> str:
    return "\n".join(site_to_rehearse(config, weather).assumptions)


def inverters(**described: object) -> SiteConfig:
    """A real site of one inverter, described as given."""
    return real_site(inverters=({"name": "east", "host": "127.0.0.1", **described},))


def test_what_the_simulation_says_of_an_inverter_is_taken() -> None:
    config = virtual_site({"east": HYBRID, "roof": PV_ONLY})

    assert simulation_of(config).inverters == {"east": HYBRID, "roof": PV_ONLY}
    assert "Inverter" not in said(config)


def test_a_real_site_has_its_rating_and_its_battery_and_each_assumption_is_said() -> None:
    config = inverters(ac_max_watts=8000.0, battery={"capacity_wh": 12000.0, "charge_max_watts": 4000.0})
    east = simulation_of(config).inverters["east"]

    assert (east.ac_rating_watts, east.pv_peak_watts) == (8000, 9600)
    assert east.battery is not None
    assert (east.battery.capacity_wh, east.battery.charge_watts, east.battery.discharge_watts) == (12000, 4000, 4000)
    assert "Inverter east: rated 8000 W (as site.yaml says), PV of 9600 W peak (assumed)" in said(config)
    assert "a household" in said(config)


@pytest.mark.parametrize("battery", [{}, {"control": True}])
def test_an_inverter_of_which_nothing_is_said_has_no_battery(battery: dict[str, object]) -> None:
    config = inverters(battery=battery)
    east = simulation_of(config).inverters["east"]

    assert east.ac_rating_watts == RATING_WATTS
    assert east.battery is None
    assert "rated 5000 W (assumed)" in said(config)
    assert "no battery, because site.yaml describes none" in said(config)


@pytest.mark.parametrize(
    ("battery", "expected"),
    [
        ({"capacity_wh": 12000.0}, (12000, 6000, 6000)),
        ({"discharge_max_watts": 3000.0}, (6000, 3000, 3000)),
        ({"soc_min_percent": 20.0}, (10000, 5000, 5000)),
        ({"charge_max_watts": 0.0, "capacity_wh": 8000.0}, (8000, 4000, 4000)),
    ],
)
def test_what_is_not_said_of_a_battery_follows_from_the_rest(
    battery: dict[str, object], expected: tuple[float, float, float]
) -> None:
    found = simulation_of(inverters(battery=battery)).inverters["east"].battery

    assert found is not None
    assert (found.capacity_wh, found.charge_watts, found.discharge_watts) == expected


def test_an_inverter_that_the_simulation_leaves_out_is_assumed() -> None:
    config = virtual_site({"east": HYBRID, "roof": PV_ONLY})
    assert config.simulation is not None
    config = config.model_copy(
        update={"simulation": config.simulation.model_copy(update={"inverters": {"east": HYBRID}})}
    )

    assert list(simulation_of(config).inverters) == ["east", "roof"]
    assert "Inverter roof" in said(config)


def test_the_short_day_of_a_demonstration_is_stretched_to_a_real_one() -> None:
    load = LoadSimulation(period_s=40.0, appliance_period_s=20.0)
    config = virtual_site({"roof": PV_ONLY}, sun=SunSimulation(period_s=86.4), load=load, battery_speed=50.0)
    simulation = simulation_of(config)

    assert simulation.sun.period_s == 86400
    assert simulation.battery_speed == 1
    assert (simulation.load.period_s, simulation.load.appliance_period_s) == pytest.approx((40000, 20000))
    assert "a day of 86.4 s" in said(config)


def test_a_real_day_keeps_its_load_and_its_night() -> None:
    sun = SunSimulation(period_s=86400.0, night_fraction=0.6)
    config = virtual_site({"roof": PV_ONLY}, sun=sun, load=LoadSimulation(base_watts=123.0))
    simulation = simulation_of(config)

    assert simulation.load == LoadSimulation(base_watts=123.0)
    assert simulation.sun.night_fraction == 0.6
    assert "the sun rises at 6:00 and sets at 15:36" in said(config)


def test_without_a_simulation_a_household_consumes() -> None:
    assert simulation_of(real_site()).load == HOUSEHOLD


def light(weather: Weather, hour: float) -> list[float]:
    """The light of ten minutes, as a part of the peak of a clear sky."""
    simulation = simulation_of(virtual_site({"roof": PV_ONLY}), weather)
    peak = simulation.inverters["roof"].pv_peak_watts / PV_ONLY.pv_peak_watts
    return [peak * sunlight(simulation.sun, "1/roof", hour * 3600 + second) for second in range(600)]


def test_the_day_begins_at_midnight_and_noon_is_brightest() -> None:
    assert max(light(Weather.CLEAR, 0)) == max(light(Weather.CLEAR, 5)) == max(light(Weather.CLEAR, 19)) == 0
    assert min(light(Weather.CLEAR, 12)) > 0.95


def test_clouds_come_and_go_and_an_overcast_sky_is_dark_all_day() -> None:
    cloudy = light(Weather.CLOUDY, 11.9)
    assert max(cloudy) > 0.8
    assert min(cloudy) < 0.4
    overcast = light(Weather.OVERCAST, 12)
    assert 0.1 < min(overcast) < max(overcast) < 0.35


def test_what_is_not_commanded_or_only_in_shadow_is_said() -> None:
    config = real_site(control={"enabled": False})

    assert "no battery is commanded" in said(config)
    assert "shadow mode" in said(config)
    assert site_to_rehearse(config, Weather.CLEAR).config.control.enabled
