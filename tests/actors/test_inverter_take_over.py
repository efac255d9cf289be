"""An inverter that somebody limited before we came: its first sample must say so, or the first command is a jump."""

from __future__ import annotations

from pathlib import Path

from actors.actor import Surroundings
from actors.clock import RealClock
from actors.files.state_store import StateStore
from actors.inverter import InverterActor
from actors.link import ModbusLink
from actors.messages import Read, Report
from actors.observer import NoObserver
from orchestrator.devices.sunspec.driver import SunSpecDriver
from orchestrator.samples import InverterSample
from orchestrator.simulation.server import serve
from tests.support.inboxes import Inbox
from tests.support.plants.example_site import EXAMPLE
from tests.support.plants.virtual_site import site_config
from tests.support.servers.required import free_port


def test_the_first_sample_of_a_hybrid_shows_the_limit_that_stayed_behind(tmp_path: Path) -> None:
    clock, site = RealClock(), Inbox()
    with serve(site_config(EXAMPLE), new_port=free_port) as running:
        east = running.config.inverter("east")
        link = ModbusLink(east.host, east.port, 10.0, clock, NoObserver())
        limit_at = running.call(lambda virtual: virtual.devices["east"].registers.address("123.WMaxLimPct"))
        link.write(east.unit_id, limit_at, (1000, 0, 0, 0, 1), "east")
        actor = InverterActor(
            Surroundings(clock, NoObserver(), Inbox()),
            config=east,
            driver=SunSpecDriver(),
            link=link,
            store=StateStore(tmp_path),
            site=site,
        )
        for cycle in (1, 2):
            actor.on_receive(Read(cycle, clock.now_s() + 60))
        link.close()
    clock.close()

    samples = [report.sample for report in site.of(Report)]
    assert [s.ac_limit_watts for s in samples if isinstance(s, InverterSample)] == [500.0, 500.0]
