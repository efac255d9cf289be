"""The orchestrator runs a site of 7xx devices alone: a battery inverter, a hybrid, a PV inverter, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.clock import RealClock
from actors.observer import NoObserver
from actors.system import start_system
from orchestrator.config.sections import ControlConfig, SetpointsSection
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.simulation.server import RunningSite, serve
from tests.support.plants.virtual_site import BATTERY_ONLY, HYBRID, PV_ONLY, site_config
from tests.support.servers.required import free_port, wait_until

INVERTERS = {
    name: settings.model_copy(update={"sunspec": "7xx"})
    for name, settings in (("store", BATTERY_ONLY), ("east", HYBRID), ("roof", PV_ONLY))
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[RunningSite]:
    config = site_config(INVERTERS).model_copy(
        update={
            "setpoints": SetpointsSection(fixed=SetpointFields(export_limit_watts=0.0)),
            "control": ControlConfig(battery_power_flow=True, state_dir=str(tmp_path)),
            "metrics": None,
        }
    )
    with serve(config, new_port=free_port) as running:
        running.call(lambda site: site.set_load(1000.0))
        for name, watts in (("east", 1000.0), ("roof", 3000.0)):
            running.call(lambda site, name=name, watts=watts: site.set_pv_available(name, watts))
        clock = RealClock()
        system = start_system(running.config, clock=clock, observer=NoObserver())
        try:
            yield running
        finally:
            system.stop()
            clock.close()


def import_watts(site: RunningSite) -> float:
    return site.call(lambda site: site.load_watts - sum(i.state.ac_watts for i in site.inverters.values()))


def charging_watts(site: RunningSite) -> float:
    return site.call(lambda site: site.inverters["store"].state.battery_watts)


def test_its_battery_takes_the_surplus_and_covers_the_load_and_is_left_to_itself_at_the_end(site: RunningSite) -> None:
    wait_until(lambda: charging_watts(site) > 1500, "charging from the surplus")
    wait_until(lambda: abs(import_watts(site)) < 100, "no export")

    for name in ("east", "roof"):
        site.call(lambda site, name=name: site.set_pv_available(name, 0.0))
    wait_until(lambda: charging_watts(site) < -500, "discharging for the load")

    writes = site.call(lambda site: {r for w in site.devices["store"].writes for r in w.registers})
    assert {"704.WSet", "704.WSetEna", "704.WSetRvrtTms"} <= writes


def test_an_export_limit_of_zero_is_kept_when_the_battery_is_full(site: RunningSite) -> None:
    site.call(lambda site: [site.set_soc(name, 100.0) for name in ("store", "east")])

    wait_until(lambda: import_watts(site) > -100, "no export")
    wait_until(lambda: import_watts(site) < 300, "and hardly any import")
