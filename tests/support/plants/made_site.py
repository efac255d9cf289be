"""One inverter of a make on a real Modbus server, commanded by an inverter actor that is not in a thread of its own.

The plant's own time is moved on at will, so that a minute's time-out takes no minute. What the battery does is read
from the physics, never from registers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actors.actor import Surroundings
from actors.clock import ManualClock, RealClock
from actors.files.state_store import StateStore
from actors.inverter import InverterActor
from actors.link import ModbusLink
from actors.messages import Acknowledged, Command, Event, Read, Release, Report
from actors.observer import NoObserver
from actors.system import DRIVERS
from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.sections import InverterConfig, SiteConfig
from orchestrator.config.simulation import InverterSimulation
from orchestrator.devices.drivers import driver_of
from orchestrator.samples import InverterSample
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import VirtualSite
from tests.support.inboxes import Inbox, answer_to_a_command
from tests.support.plants.virtual_site import BATTERY
from tests.support.servers.required import free_port

VALID_FOR_S = 60.0
HYBRID = InverterSimulation(pv_peak_watts=8000, ac_rating_watts=6000, battery=BATTERY)


def made_site(driver: str, plant: InverterSimulation) -> SiteConfig:
    """A site with one inverter, called east, whose site.yaml says no more than its driver and its address."""
    sections = {
        "site": {"name": "test"},
        "meter": {"host": "127.0.0.1", "port": 5020, "unit_id": 200},
        "inverters": [{"name": "east", "driver": driver, "host": "127.0.0.1"}],
        "control": {"battery_power_flow": True},
        "simulation": {"inverters": {"east": plant}},
    }
    return SiteConfig.model_validate(sections)


class Counts(NoObserver):
    """The names of all registers written, oldest first."""

    def __init__(self) -> None:
        self.registers: list[str] = []

    def register_written(self, inverter: str, register: str) -> None:
        self.registers.append(register)


class MadeSite:
    """The actor of east, and the plant behind its registers."""

    def __init__(self, running: RunningSite, state_dir: Path) -> None:
        self.running = running
        self.clock = ManualClock()
        self.site = Inbox()
        self.plant = running.call(lambda site: site.inverters["east"].settings)
        self.observer = Counts()
        self.config = running.config.inverter("east")
        assert isinstance(self.config, InverterConfig)
        self.link = ModbusLink("127.0.0.1", self.config.port, 10.0, RealClock(), self.observer)
        self.state_dir = state_dir
        self.actor = self.start()

    def start(self) -> InverterActor:
        """A new actor for the same device, as after a restart."""
        assert isinstance(self.config, InverterConfig)
        self.actor = InverterActor(
            Surroundings(self.clock, self.observer, Inbox()),
            config=self.config,
            driver=driver_of(self.config, DRIVERS),
            link=self.link,
            store=StateStore(self.state_dir),
            site=self.site,
        )
        return self.actor

    def report(self) -> Report:
        """One cycle's reading."""
        self._tell(Read(1, self.clock.now_s() + 1))
        return self.site.of(Report)[-1]

    def sample(self) -> InverterSample:
        """The sample of one cycle."""
        report = self.report()
        assert isinstance(report.sample, InverterSample), report
        return report.sample

    def battery(self, low_watts: float | None, high_watts: float | None, *, grid: bool | None = True) -> Acknowledged:
        """Ask for this window of battery power, charging +."""
        watts = next((w for w in (low_watts, high_watts) if w), 0.0)
        released = low_watts is None and high_watts is None
        mode = BatteryMode.RELEASE if released else BatteryMode.CHARGE if watts > 0 else BatteryMode.DISCHARGE
        return self.command(battery=BatteryCommand(mode, watts, low_watts, high_watts, grid_charging=grid))

    def command(self, **options: Any) -> Acknowledged:
        """Read, as every cycle does, then command."""
        self.sample()
        before = len(self.site.of(Acknowledged))
        self._tell(Command(InverterCommand("east", valid_for_s=VALID_FOR_S, **options), self.clock.now_s()))
        return answer_to_a_command(self.site.of(Acknowledged)[before:], self.clock.now_s())

    def release(self) -> Acknowledged:
        """The last command, as on a clean stop."""
        return self.stop_with()

    def stop_with(self, **options: Any) -> Acknowledged:
        """The last command, with what it leaves in force."""
        command = InverterCommand("east", valid_for_s=VALID_FOR_S, battery=BatteryCommand.release(), **options)
        self._tell(Release(command, self.clock.now_s()))
        return self.site.of(Acknowledged)[-1]

    def wait(self, seconds: float) -> None:
        """Let so much time pass for the plant, for the device's timers and for the actor."""
        self.running.call(lambda site: site.advance(seconds))
        self.clock.advance(seconds)

    def repeat(self, seconds: float, step_s: float = 5.0, **options: Any) -> None:
        """The same command in each cycle for so long."""
        for _ in range(round(seconds / step_s)):
            self.command(**options)
            self.wait(step_s)

    def light(self, watts: float) -> None:
        """What the sun allows its PV to make."""
        self.running.call(lambda site: site.set_pv_available("east", watts if self.plant.pv_peak_watts else 0.0))

    @property
    def battery_watts(self) -> float:
        """What the battery really takes (+) or gives (-)."""
        return self.running.call(lambda site: site.inverters["east"].state.battery_watts)

    @property
    def ac_watts(self) -> float:
        """What the inverter really feeds into the site (+) or draws (-)."""
        return self.running.call(lambda site: site.inverters["east"].state.ac_watts)

    @property
    def pv_watts(self) -> float:
        """What the PV really makes."""
        return self.running.call(lambda site: site.inverters["east"].state.pv_watts)

    @property
    def events(self) -> list[str]:
        """The names of all events."""
        return [event.name for event in self.site.of(Event)]

    @property
    def details(self) -> list[str]:
        """What all events say."""
        return [event.detail for event in self.site.of(Event)]

    def call(self, function: Any) -> Any:
        """Run `function` on the virtual site."""
        return self.running.call(function)

    def _tell(self, message: Any) -> None:
        self.actor.actor_ref.tell(message)
        while not self.actor.actor_inbox.empty():
            self.actor.on_receive(self.actor.actor_inbox.get().message)


@contextmanager
def made(driver: str, plant: InverterSimulation, state_dir: Path) -> Iterator[MadeSite]:
    """`plant` served on a free port, and an actor with `driver` for it. The light is steady, 0 W at first."""
    with serve(made_site(driver, plant), new_port=free_port) as running:
        running.call(_steady)
        site = MadeSite(running, state_dir)
        site.wait(5)
        yield site
        site.link.close()


def _steady(site: VirtualSite) -> None:
    site.set_load(500.0)
    site.set_pv_available("east", 0.0)
