"""Two storeys as they run: two sites of three inverters each, and a portfolio of them, at one broker.

What the sites do is read from the simulated devices, never from what any orchestrator says of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.clock import RealClock
from actors.system import DRIVERS, System, start_system
from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import InverterSimulation
from orchestrator.decide.records import CycleResult
from orchestrator.simulation.server import serve
from tests.support.inboxes import Inbox
from tests.support.plants.example_site import EXAMPLE, battery
from tests.support.plants.running_plant import Diary, Eyes, Publisher, RunningPlant, example_config
from tests.support.servers.brokers import Mosquitto, Nats
from tests.support.servers.required import PATIENCE_S, free_port

HALF: Mapping[str, InverterSimulation] = {
    "east": InverterSimulation(pv_peak_watts=3000.0, ac_rating_watts=2500.0, battery=battery(5000.0, 2500.0)),
    "west": InverterSimulation(pv_peak_watts=2000.0, ac_rating_watts=2000.0, battery=battery(2500.0, 2000.0)),
    "roof": InverterSimulation(pv_peak_watts=4000.0, ac_rating_watts=4000.0),
}
SITES: Mapping[str, Mapping[str, InverterSimulation]] = {"north": EXAMPLE, "south": HALF}
"""The batteries of the first hold twice as much as those of the second."""
SETPOINTS = "village/setpoints"
REVERT_S = 20
AnyBroker = Mosquitto | Nats


class Site(RunningPlant):
    """One site of the portfolio."""


@dataclass
class Portfolio:
    """The storey above: its system, and what it decided."""

    config: SiteConfig
    system: System
    clock: RealClock
    decided: Inbox
    setpoint: Publisher

    @property
    def results(self) -> list[CycleResult]:
        """Every cycle so far."""
        return list(self.decided.of(CycleResult))

    def stop(self) -> None:
        """As SIGTERM does."""
        self.system.stop(PATIENCE_S)
        self.clock.close()


def reached(broker: AnyBroker) -> dict[str, Any]:
    """The keys of site.yaml that say where it is."""
    nodes = {"other_hosts": broker.other_hosts} if isinstance(broker, Nats) else {}
    return {"host": broker.host, "port": broker.port, **nodes}


def site_of(folder: Path, name: str, broker: AnyBroker, portfolio: Mapping[str, object]) -> SiteConfig:
    """site.yaml of one site; `portfolio` is that section of it."""
    config = example_config(folder / name, broker=broker, inverters=SITES[name], fixed={})
    sections = config.model_dump()
    at = reached(broker)
    sections["setpoints"]["mqtt"] = ()
    sections["publish"] = {"mqtt": {**at, "topic": f"sites/{name}", "portfolio": dict(portfolio)}}
    return SiteConfig.model_validate(sections)


def portfolio_config(folder: Path, broker: AnyBroker, sites: Mapping[str, AnyBroker], **control: Any) -> SiteConfig:
    """site.yaml of the portfolio at `broker`, and the brokers of its sites by their names."""
    at = reached(broker)
    entries = [
        {"name": name, "driver": "site", **reached(each), "topic": f"sites/{name}"} for name, each in sites.items()
    ]
    return SiteConfig.model_validate(
        {
            "site": {"name": "village"},
            "meter": {"driver": "sum"},
            "inverters": entries,
            "control": {
                "battery_power_flow": True,
                "revert_s": REVERT_S,
                "state_dir": str(folder / "village"),
                **control,
            },
            "setpoints": {"mqtt": {**at, "topic": SETPOINTS}},
            "publish": {"mqtt": {**at, "topic": "village"}},
            "metrics": None,
        }
    )


@contextlib.contextmanager
def running_site(
    folder: Path,
    name: str,
    broker: AnyBroker,
    *,
    sun: Mapping[str, float],
    load_watts: float,
    portfolio: Mapping[str, object],
) -> Iterator[Site]:
    """One site, with its devices, from now on."""
    with serve(site_of(folder, name, broker, portfolio), new_port=free_port) as served:
        Eyes(served).set(pv_watts=sun, load_watts=load_watts)
        site = Site(served, broker, served.config, DRIVERS)
        try:
            yield site
        finally:
            site.stop()


@contextlib.contextmanager
def running_portfolio(config: SiteConfig, broker: AnyBroker) -> Iterator[Portfolio]:
    """The portfolio, from now on."""
    clock, decided = RealClock(), Inbox()
    system = start_system(config, clock=clock, observer=Diary(), listeners=(decided,))
    portfolio = Portfolio(config, system, clock, decided, Publisher(broker, SETPOINTS))
    try:
        yield portfolio
    finally:
        portfolio.stop()
