"""Inverters may be called as the parts of the program are."""

from __future__ import annotations

from pathlib import Path

from actors.clock import RealClock
from actors.messages import Acknowledged
from actors.prometheus.observer import PrometheusObserver
from actors.system import start_system
from orchestrator.config.sections import MetricsSection
from orchestrator.decide.records import CycleResult
from orchestrator.simulation.server import serve
from tests.support.inboxes import Inbox
from tests.support.plants.virtual_site import HYBRID, site_config
from tests.support.servers.required import free_port, wait_until

NAMES = ("site", "mqtt", "web", "ledger", "supervisor")


def test_inverters_called_like_parts_of_the_program_are_started_read_and_commanded(tmp_path: Path) -> None:
    with serve(site_config(dict.fromkeys(NAMES, HYBRID)), new_port=free_port) as site:
        state = site.config.control.model_copy(update={"state_dir": str(tmp_path / "state")})
        config = site.config.model_copy(update={"control": state, "metrics": MetricsSection(port=0)})
        clock, listener, observer = RealClock(), Inbox(), PrometheusObserver("test", "1")
        system = start_system(config, clock=clock, observer=observer, listeners=(listener,))
        try:
            wait_until(lambda: _obeyed(listener) >= {*NAMES}, "a command for each")
            answering = {each.name for each in listener.of(CycleResult)[-1].snapshot.inverters}
        finally:
            system.stop()
            clock.close()

    assert answering == {*NAMES}
    assert observer.registry.get_sample_value("orchestrator_actor_restarts_total", {"actor": "inverter/site"}) == 0
    assert observer.registry.get_sample_value("orchestrator_actor_restarts_total", {"actor": "site"}) == 0


def _obeyed(listener: Inbox) -> set[str]:
    return {each.inverter for each in listener.of(Acknowledged) if each.writes and not each.fault}
