"""A site to rehearse: what site.yaml says, and where it says nothing, an assumption in plain words.

The day is a real one of 24 hours from midnight, with the weather asked for. What `simulation:` says about devices
and consumption is taken as it is; a day there that is shorter (a demonstration) is stretched.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.config.sections import AnyInverterConfig, BatteryConfig, SiteConfig
from orchestrator.config.simulation import (
    BatterySimulation,
    InverterSimulation,
    LoadSimulation,
    SimulationConfig,
    SunSimulation,
)

DAY_S: Final = 86400.0
NIGHT_FRACTION: Final = 0.5
MIDNIGHT: Final = 0.75
"""The part of the day that has passed since sunrise (6:00) at midnight."""
RATING_WATTS: Final = 5000.0
PV_PART_OF_RATING: Final = 1.2
CAPACITY_WH: Final = 10000.0
FULL_IN_HOURS: Final = 2.0
LONGEST_PERIOD_S: Final = 1e6
HOUSEHOLD: Final = LoadSimulation(base_watts=250.0, variation_watts=900.0, period_s=1800.0, noise_watts=20.0)


class Weather(StrEnum):
    """What the sky is like."""

    CLEAR = "clear"
    CLOUDY = "cloudy"
    OVERCAST = "overcast"


@dataclass(frozen=True, slots=True)
class _Sky:
    """`light` is the part of a clear sky's light that is there at best; clouds that pass take up to `depth` of it."""

    light: float
    depth: float
    period_s: float
    contrast: float
    text: str


SKIES: Final = {
    Weather.CLEAR: _Sky(1.0, 0.03, 1800.0, 1.0, "a clear sky"),
    Weather.CLOUDY: _Sky(1.0, 0.8, 240.0, 4.0, "clouds that pass within minutes and take up to 80 % of the light"),
    Weather.OVERCAST: _Sky(0.3, 0.5, 1200.0, 1.0, "an overcast sky that leaves 15 to 30 % of the light"),
}


@dataclass(frozen=True, slots=True)
class RehearsalSite:
    """A site that can be simulated, and what was assumed for it, one sentence each."""

    config: SiteConfig
    assumptions: tuple[str, ...]


def site_to_rehearse(config: SiteConfig, weather: Weather) -> RehearsalSite:
    """`config` with a `simulation:` that fits it. It is in control, also where site.yaml says shadow mode."""
    section = config.simulation or SimulationConfig()
    sun = _sun(section.sun, weather)
    told: list[str] = [f"Weather: {SKIES[weather].text}; the sun rises at 6:00 and sets at {_sunset(sun)}."]
    inverters = {
        each.name: _inverter(each, section.inverters.get(each.name), weather, told) for each in config.inverters
    }
    simulation = section.model_copy(
        update={
            "battery_speed": 1.0,
            "sun": sun,
            "load": _load(config.simulation, told),
            "inverters": inverters,
        }
    )
    told += _about_control(config)
    control = config.control.model_copy(update={"enabled": True})
    return RehearsalSite(config.model_copy(update={"simulation": simulation, "control": control}), tuple(told))


def _sunset(sun: SunSimulation) -> str:
    minutes = round((1.0 - sun.night_fraction) * 1440) + 360
    return f"{minutes // 60 % 24}:{minutes % 60:02}"


def _sun(sun: SunSimulation, weather: Weather) -> SunSimulation:
    """A day of 24 hours. How long its night is, only a description of a real day can say."""
    sky = SKIES[weather]
    return SunSimulation(
        period_s=DAY_S,
        night_fraction=sun.night_fraction if sun.period_s == DAY_S else NIGHT_FRACTION,
        start_fraction=MIDNIGHT,
        cloud_depth=sky.depth,
        cloud_period_s=sky.period_s,
        cloud_contrast=sky.contrast,
    )


def _load(simulation: SimulationConfig | None, told: list[str]) -> LoadSimulation:
    if simulation is None:
        told.append(
            f"Consumption: a household that swings between {HOUSEHOLD.base_watts:.0f} and "
            f"{HOUSEHOLD.base_watts + HOUSEHOLD.variation_watts:.0f} W; describe yours under simulation.load."
        )
        return HOUSEHOLD
    load, times = simulation.load, DAY_S / simulation.sun.period_s
    if times <= 1.0:
        return load
    told.append(
        f"simulation.sun has a day of {simulation.sun.period_s:g} s: the times of its load are stretched alike."
    )
    return load.model_copy(
        update={
            "period_s": min(load.period_s * times, LONGEST_PERIOD_S),
            "appliance_period_s": min(load.appliance_period_s * times, LONGEST_PERIOD_S),
        }
    )


def _inverter(
    config: AnyInverterConfig, described: InverterSimulation | None, weather: Weather, told: list[str]
) -> InverterSimulation:
    settings = _assumed(config, told) if described is None else described
    return settings.model_copy(update={"pv_peak_watts": settings.pv_peak_watts * SKIES[weather].light})


def _assumed(config: AnyInverterConfig, told: list[str]) -> InverterSimulation:
    """An inverter that `simulation:` does not describe."""
    rating = config.ac_max_watts or RATING_WATTS
    battery = _assumed_battery(config.battery)
    stated = "as site.yaml says" if config.ac_max_watts else "assumed"
    with_battery = (
        f"a battery of {battery.capacity_wh:.0f} Wh that charges with {battery.charge_watts:.0f} W and discharges with "
        f"{battery.discharge_watts:.0f} W, half full at the start (what site.yaml does not say is assumed)"
        if battery
        else "no battery, because site.yaml describes none for it"
    )
    told.append(
        f"Inverter {config.name}: rated {rating:.0f} W ({stated}), PV of {PV_PART_OF_RATING * rating:.0f} W peak "
        f"(assumed), {with_battery}."
    )
    return InverterSimulation(pv_peak_watts=PV_PART_OF_RATING * rating, ac_rating_watts=rating, battery=battery)


def _assumed_battery(stated: BatteryConfig) -> BatterySimulation | None:
    """A battery where site.yaml describes one; what it leaves open follows from its capacity or its power."""
    if not stated.model_fields_set - {"control"}:
        return None
    power = stated.charge_max_watts or stated.discharge_max_watts
    capacity = stated.capacity_wh or (power * FULL_IN_HOURS if power else CAPACITY_WH)
    usual = capacity / FULL_IN_HOURS
    return BatterySimulation(
        capacity_wh=capacity,
        charge_watts=stated.charge_max_watts or power or usual,
        discharge_watts=stated.discharge_max_watts or power or usual,
    )


def _about_control(config: SiteConfig) -> list[str]:
    told = ["Setpoints: `fixed`, and the `default` of each MQTT source; no message arrives."]
    if not config.control.battery_power_flow:
        told.append("control.battery_power_flow is false, so no battery is commanded.")
    if not config.control.enabled:
        told.append("control.enabled is false (shadow mode); the rehearsal writes all the same.")
    return told
