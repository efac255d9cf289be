"""A plant that runs by the meter of a make: with a new value once a second, and with words in the other order."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.sections import SiteConfig
from orchestrator.simulation.network.faults import Fault, FaultKind
from orchestrator.simulation.server import serve
from orchestrator.simulation.site import METER
from tests.support.plants.running_plant import BUSY_MACHINE_S, DRIVERS, SETPOINTS, RunningPlant, about, above, below
from tests.support.plants.virtual_site import HYBRID
from tests.support.servers.brokers import mosquitto
from tests.support.servers.required import free_port, wait_until

SUN = {"east": 5000.0, "west": 5000.0}
OBEYED_WITHIN_S = 5.0 + BUSY_MACHINE_S


def metered(make: str, state_dir: Path, broker_port: int) -> SiteConfig:
    sections = {
        "site": {"name": "metered"},
        "meter": {"driver": make, "host": "127.0.0.1", "port": 5020, "sign": "import_positive"},
        "inverters": [
            {"name": "east", "host": "127.0.0.1", "port": 5021},
            {"name": "west", "host": "127.0.0.1", "port": 5022},
        ],
        "control": {"battery_power_flow": True, "state_dir": str(state_dir)},
        "setpoints": {
            "fixed": {"export_limit_watts": 20000.0, "battery_soc_min_percent": 10.0},
            "mqtt": {"host": "127.0.0.1", "port": broker_port, "topic": SETPOINTS},
        },
        "metrics": None,
        "simulation": {
            "meter": {"make": make, "period_s": 1.0},
            "inverters": {"east": HYBRID, "west": HYBRID},
        },
    }
    return SiteConfig.model_validate(sections)


@pytest.mark.long
@pytest.mark.parametrize("make", ["shelly-pro-3em", "carlo-gavazzi-em24"])
def test_a_site_is_steered_by_the_meter_of_a_make(make: str, tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path) as broker,
        serve(metered(make, tmp_path / "state", broker.port), new_port=free_port) as site,
    ):
        plant = RunningPlant(site, broker, site.config, DRIVERS)
        try:
            plant.set(soc_percent={"east": 50.0, "west": 50.0}, load_watts=4000.0, pv_watts=dict.fromkeys(SUN, 0.0))
            plant.see({"import": about(0, 100), "charging": about(-4000, 300)}, for_s=2.0)

            plant.set(soc_percent={"east": 100.0, "west": 100.0}, load_watts=500.0, pv_watts=SUN)
            plant.see({"export": above(8000)})
            plant.setpoint.publish({"opModExpLimW": 1000})
            plant.see({"export": below(1100)}, within_s=OBEYED_WITHIN_S, for_s=2.0)

            site.set_fault(METER, Fault(FaultKind.EXCEPTION))
            wait_until(lambda: plant.results[-1].snapshot.meter is None, "the meter is silent")
            plant.see({"export": below(600)}, for_s=2.0)
            site.set_fault(METER, None)
            plant.see({"export": about(1000, 150)}, for_s=2.0)
        finally:
            plant.stop()
