"""A meter of a make on a real Modbus server, read by a meter actor that is not in a thread of its own.

What flows at the grid connection is taken from the physics, never from registers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from actors.actor import Surroundings
from actors.clock import ManualClock, RealClock
from actors.link import ModbusLink
from actors.messages import Report, Tick
from actors.meter import MeterActor
from actors.observer import NoObserver
from actors.system import DRIVERS
from orchestrator.config.sections import MeterConfig, SiteConfig
from orchestrator.samples import MeterSample
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import METER
from tests.support.inboxes import Inbox
from tests.support.plants.virtual_site import PV_ONLY
from tests.support.servers.required import free_port


def metered_site(make: str, driver: str | None = None, **simulation: Any) -> SiteConfig:
    """A site with PV and a meter of `make` whose site.yaml says no more than its driver and its address."""
    sections = {
        "site": {"name": "test"},
        "meter": {"driver": driver or make, "host": "127.0.0.1"},
        "inverters": [{"name": "roof", "host": "127.0.0.2"}],
        "simulation": {"inverters": {"roof": PV_ONLY}, "meter": {"make": make, **simulation}},
    }
    return SiteConfig.model_validate(sections)


class MadeMeter:
    """The meter's actor, and the plant behind its registers."""

    def __init__(self, running: RunningSite) -> None:
        self.running = running
        self.clock = ManualClock()
        self.inbox = Inbox()
        config = running.config.meter
        assert isinstance(config, MeterConfig)
        self.link = ModbusLink("127.0.0.1", config.port, 10.0, RealClock(), NoObserver())
        self.actor = MeterActor(
            Surroundings(self.clock, NoObserver(), Inbox()),
            config=config,
            driver=DRIVERS[config.driver],
            link=self.link,
            site=self.inbox,
            report_interval_s=0.1,
        )

    def flow(self, *, load_watts: float, pv_watts: float) -> float:
        """Let this be consumed and made for a minute; what flows then at the grid connection, import +."""
        self.running.call(lambda site: site.set_load(load_watts))
        self.running.call(lambda site: site.set_pv_available("roof", pv_watts))
        self.running.call(lambda site: site.advance(60.0))
        return self.running.call(lambda site: site.meter.present_watts)

    def report(self) -> Report:
        """What the actor says after one more poll."""
        said = len(self.inbox.of(Report))
        self.clock.advance(5.0)
        self.actor.actor_ref.tell(Tick())
        while len(self.inbox.of(Report)) == said and not self.actor.actor_inbox.empty():
            self.actor.on_receive(self.actor.actor_inbox.get().message)
        return self.inbox.of(Report)[-1]

    def sample(self) -> MeterSample:
        """One reading."""
        report = self.report()
        assert isinstance(report.sample, MeterSample), report
        return report.sample

    def device(self, **options: Any) -> None:
        """Change attributes of the virtual device, such as a setting of the meter."""

        def change(device: Any) -> None:
            for name, value in options.items():
                assert hasattr(device, name)
                setattr(device, name, value)

        self.running.call(lambda site: change(site.devices[METER]))


@contextmanager
def made_meter(make: str, driver: str | None = None, **simulation: Any) -> Iterator[MadeMeter]:
    """A meter of `make` on a free port, and an actor with `driver` (None: that of the make) for it."""
    with serve(metered_site(make, driver, **simulation), new_port=free_port) as running:
        meter = MadeMeter(running)
        yield meter
        meter.link.close()
