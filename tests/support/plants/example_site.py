"""The three inverters of the first issue: hybrids of 10 kWh / 5 kW and 5 kWh / 4 kW, and a PV inverter of 8 kW."""

from __future__ import annotations

from typing import Any

from orchestrator.config.sections import ControlConfig, SiteConfig
from orchestrator.config.simulation import BatterySimulation, InverterSimulation, LoadSimulation, MeterSimulation
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.virtual_site import site_config

SUNNY = {"east": 6000.0, "west": 3500.0, "roof": 7000.0}
DARK = {"east": 0.0, "west": 0.0, "roof": 0.0}


def battery(capacity_wh: float, watts: float, soc_percent: float = 50.0) -> BatterySimulation:
    """A battery that charges and discharges with the same power."""
    return BatterySimulation(
        capacity_wh=capacity_wh, charge_watts=watts, discharge_watts=watts, soc_percent=soc_percent
    )


EXAMPLE = {
    "east": InverterSimulation(pv_peak_watts=6000.0, ac_rating_watts=5000.0, battery=battery(10000.0, 5000.0)),
    "west": InverterSimulation(pv_peak_watts=4000.0, ac_rating_watts=4000.0, battery=battery(5000.0, 4000.0)),
    "roof": InverterSimulation(pv_peak_watts=8000.0, ac_rating_watts=8000.0),
}


def plant(
    inverters: dict[str, InverterSimulation] | None = None,
    *,
    pv_watts: dict[str, float] | None = None,
    load_watts: float = 1000.0,
    noise_watts: float = 0.0,
    **control: Any,
) -> ClosedLoop:
    """A plant in virtual time with fixed sun and load; `control` changes that section of site.yaml."""
    config: SiteConfig = site_config(
        inverters or EXAMPLE,
        load=LoadSimulation(base_watts=load_watts, variation_watts=0.0, noise_watts=noise_watts),
        meter=MeterSimulation(period_s=0.05),
    )
    loop = ClosedLoop(config.model_copy(update={"control": ControlConfig(**{"battery_power_flow": True, **control})}))
    for name, watts in (pv_watts or SUNNY).items():
        loop.site.set_pv_available(name, watts)
    return loop
