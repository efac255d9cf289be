"""Virtual sites whose devices have addresses of their own in 127.0.0.0/29, all at one port, as in a real network."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import InverterSimulation
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import METER
from tests.support.plants.virtual_site import HYBRID, PV_ONLY, site_config
from tests.support.servers.required import free_port

NETWORK = "127.0.0.0/29"
INVERTERS: Mapping[str, InverterSimulation] = {"east": HYBRID, "west": HYBRID, "roof": PV_ONLY}


@contextlib.contextmanager
def network(inverters: Mapping[str, InverterSimulation] = INVERTERS) -> Iterator[RunningSite]:
    """The meter at 127.0.0.1 unit 200, the inverters at unit 1 of 127.0.0.2 and so on; `config` says the port."""
    port = free_port()
    sections = site_config(dict(inverters)).model_dump()
    sections["meter"] |= {"host": "127.0.0.1", "port": port}
    for index, inverter in enumerate(sections["inverters"], start=2):
        inverter |= {"host": f"127.0.0.{index}", "port": port}
    with serve(SiteConfig.model_validate(sections)) as site:
        yield site


@contextlib.contextmanager
def network_of_makes(makes: Sequence[str]) -> Iterator[RunningSite]:
    """One hybrid of each make, at its own unit of 127.0.0.2 and so on, and the meter as in `network`."""
    port = free_port()
    simulated = {make: HYBRID.model_copy(update={"make": make}) for make in makes}
    sections = {
        "site": {"name": "makes"},
        "meter": {"host": "127.0.0.1", "port": port, "unit_id": 200},
        "inverters": [
            {"name": make, "driver": make, "host": f"127.0.0.{index}", "port": port}
            for index, make in enumerate(makes, start=2)
        ],
        "simulation": {"inverters": simulated},
    }
    with serve(SiteConfig.model_validate(sections)) as site:
        yield site


def writes_of(site: RunningSite, names: Sequence[str] | None = None) -> dict[str, int]:
    """How many writes each device has taken; the meter is among them."""
    wanted = names or (*(inverter.name for inverter in site.config.inverters), METER)
    return site.call(lambda virtual: {name: len(virtual.devices[name].writes) for name in wanted})
