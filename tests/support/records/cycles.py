"""Configurations and cycles to build tests from."""

from __future__ import annotations

from typing import Any

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.power_flow import BatteryPowerFlow
from orchestrator.decide.records import CycleResult, SiteTotals
from orchestrator.reason import because
from orchestrator.samples import BatterySample, InverterSample, MeterSample, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, merge


def site_config(**sections: Any) -> SiteConfig:
    """A site of three inverters; `sections` replace those of site.yaml."""
    base: dict[str, Any] = {
        "site": {"name": "home"},
        "meter": {"host": "127.0.0.1"},
        "inverters": tuple({"name": name, "host": "127.0.0.1", "unit_id": unit} for unit, name in enumerate(NAMES, 1)),
    }
    return SiteConfig.model_validate(base | sections)


NAMES = ("east", "west", "roof")


def inverter_sample(name: str = "east", at_s: float = 100.0, **values: Any) -> InverterSample:
    """An inverter with a battery: 3000 W from the PV, of which 1000 W charge."""
    battery = BatterySample(watts=1000.0, soc_percent=50.0, capacity_wh=10000.0)
    usual: dict[str, Any] = {"ac_watts": 2000.0, "pv_watts": 3000.0, "battery": battery}
    return InverterSample(name, at_s, **(usual | values))


def cycle_result(
    site_watts: float | None = -500.0,
    at_s: float = 100.0,
    limits: SetpointFields | None = None,
    inverters: tuple[InverterSample, ...] | None = None,
    away: tuple[str, ...] = (),
) -> CycleResult:
    """A cycle of a site that exports 500 W with one hybrid inverter."""
    samples = (inverter_sample(at_s=at_s),) if inverters is None else inverters
    meter = None if site_watts is None else MeterSample(at_s, site_watts)
    ac_watts = sum(sample.ac_watts or 0.0 for sample in samples)
    load_watts = None if site_watts is None else site_watts + ac_watts
    return CycleResult(
        snapshot=SiteSnapshot(at_s, meter, samples, away),
        envelope=merge((Setpoint("fixed", limits or SetpointFields(export_limit_watts=5000.0)),)),
        flow=BatteryPowerFlow(1000.0, 500.0, None, "charge"),
        commands=tuple(command(sample.name) for sample in samples),
        reasons=(because("charge", watts=1000.0, why=because("surplus", source=None, bound=None)),),
        totals=SiteTotals(site_watts, load_watts, ac_watts, 3000.0, 1000.0),
    )


def command(inverter: str) -> InverterCommand:
    """Charge with 1000 W, AC limited to 4000 W."""
    battery = BatteryCommand(BatteryMode.CHARGE, 1000.0, 1000.0, 1000.0)
    why = because("charge", watts=1000.0, why=because("share_by_capacity"))
    return InverterCommand(inverter, 60.0, ac_limit_watts=4000.0, battery=battery, reasons=(why,))
