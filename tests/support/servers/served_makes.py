"""Virtual devices of makes on the network, for a client that is not ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pymodbus.client import ModbusTcpClient

from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import VirtualSite
from tests.support.plants.virtual_site import HYBRID, site_config
from tests.support.servers.required import free_port

PV_WATTS = 1000


@contextmanager
def served_makes(units: Mapping[str, int]) -> Iterator[RunningSite]:
    """One inverter of each make, called as its make, each at this unit id on a port of its own."""
    config = site_config({make: HYBRID.model_copy(update={"make": make}) for make in units})
    inverters = tuple(one.model_copy(update={"unit_id": units[one.name]}) for one in config.inverters)
    with serve(config.model_copy(update={"inverters": inverters}), new_port=free_port) as running:
        yield running


def client(running: RunningSite, make: str) -> ModbusTcpClient:
    """A connected pymodbus client of the inverter of this make."""
    address = running.config.inverter(make)
    connected = ModbusTcpClient(address.host, port=address.port, timeout=60)
    assert connected.connect()
    return connected


def settle(site: VirtualSite) -> None:
    """Some light, and time to follow what was written."""
    for name in site.inverters:
        site.set_pv_available(name, PV_WATTS)
    site.advance(20)
