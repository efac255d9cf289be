"""A scenario in real time: actors, Modbus TCP to the served virtual site, and setpoints through a real broker."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from actors.clock import RealClock
from actors.observer import NoObserver
from actors.system import System, start_system
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.loop.in_force import in_force
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, merge
from orchestrator.setpoints.payload import to_payload
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.network.faults import Fault, FaultKind
from orchestrator.simulation.network.virtual import InverterFault, MeterDefect
from orchestrator.simulation.scenarios.scenario import Scenario
from orchestrator.simulation.scenarios.timeline import OK, SOURCE, Event
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import METER
from orchestrator.simulation.virtual_time import Moment
from tests.support.inboxes import Inbox
from tests.support.servers.brokers import MqttClient, mosquitto, mqtt_client
from tests.support.servers.required import free_port, wait_until

TOPIC = "setpoints"
SETTLE_PERIODS = 3
"""For so many periods of its meter the plant is left to itself before it is controlled."""

ON_THE_WIRE = {
    InverterFault.SILENT: Fault(FaultKind.SILENT),
    InverterFault.EXCEPTIONS: Fault(FaultKind.EXCEPTION),
    InverterFault.RESETTING: Fault(FaultKind.RESET),
    InverterFault.FROZEN: Fault(FaultKind.FROZEN),
    MeterDefect.SILENT: Fault(FaultKind.SILENT),
    MeterDefect.FROZEN: Fault(FaultKind.FROZEN),
}
"""Faults of devices that answer, in a way, as the virtual site makes them."""


@dataclass
class RealPlant:
    """A scenario's plant while it runs. `asked` is what was published last, for those who look on."""

    config: SiteConfig
    site: RunningSite
    client: MqttClient
    cycles: Inbox = field(default_factory=Inbox)
    asked: dict[str, Setpoint] = field(default_factory=dict)

    def happen(self, event: Event, now_s: float) -> None:
        """Make an event of the time line happen. The orchestrator itself cannot be ended here."""
        assert event.orchestrator is None, "a whole process is needed to kill one"
        self.site.call(event.change_site)
        for name, fault in event.inverters.items():
            self._break(name, fault)
        if event.meter is not None:
            self._break(METER, event.meter)
        if isinstance(event.setpoint, SetpointFields):
            self._ask(event.setpoint, event.validity_s, now_s)
        elif event.setpoint is not None:
            self.asked.clear()
            self.client.publish(TOPIC, "", retain=True)

    def look(self, at_s: float) -> Moment:
        """What is true now, and what was decided last."""
        load_watts, powers = self.site.call(
            lambda site: (site.load_watts, tuple(i.state for i in site.inverters.values()))
        )
        decided = self.cycles.of(CycleResult)[-1]
        return Moment(
            at_s=at_s,
            site_watts=load_watts - sum(power.ac_watts for power in powers),
            load_watts=load_watts,
            powers=powers,
            wanted=merge(in_force(self.config, self.asked, at_s)).fields,
            commands=decided.commands,
            mode=decided.mode,
            reasons=decided.reasons,
        )

    def _ask(self, fields: SetpointFields, validity_s: float | None, now_s: float) -> None:
        payload, ends_s = to_payload(fields), None
        if validity_s is not None:
            ends_s = now_s + validity_s
            payload["validUntil"] = (datetime.now(UTC) + timedelta(seconds=validity_s)).isoformat()
        self.asked[SOURCE] = Setpoint(SOURCE, fields, now_s, ends_s)
        self.client.publish(TOPIC, json.dumps(payload), retain=True)

    def _break(self, name: str, fault: str) -> None:
        self.site.start_device(name)
        if fault == InverterFault.OFFLINE:
            self.site.stop_device(name)
        else:
            self.site.set_fault(name, None if fault == OK else ON_THE_WIRE[fault])  # type: ignore[index]


def play_in_real_time(scenario: Scenario, folder: Path) -> Run:
    """The whole scenario, one moment a second, from the first decision on. Needs Mosquitto."""
    clock = RealClock()
    with (
        mosquitto(folder) as broker,
        serve(_config(scenario, folder, broker.port), new_port=free_port) as site,
        mqtt_client(broker.host, broker.port) as client,
    ):
        plant = RealPlant(site.config, site, client)
        for event in scenario.timeline:
            if event.at_s == 0:
                plant.happen(event, 0.0)
        settled_s = time.monotonic() + SETTLE_PERIODS * scenario.meter.period_s
        wait_until(lambda: time.monotonic() >= settled_s, "a meter that shows the plant as it is")
        system = start_system(site.config, clock=clock, observer=NoObserver(), listeners=(plant.cycles,))
        try:
            moments = tuple(_moments(scenario, plant, system))
        finally:
            system.stop()
            clock.close()
    return Run.of(site.config, moments)


def _moments(scenario: Scenario, plant: RealPlant, system: System) -> Iterator[Moment]:
    left = sorted((event for event in scenario.timeline if event.at_s > 0), key=lambda event: event.at_s)
    wait_until(lambda: any(cycle.commands for cycle in plant.cycles.of(CycleResult)), "the first decision")
    began_s = time.monotonic()
    for second in range(1, round(scenario.duration_s) + 1):
        due_s = began_s + second
        wait_until(lambda due_s=due_s: time.monotonic() >= due_s, "the next second")  # type: ignore[misc]
        yield plant.look(float(second))
        while left and left[0].at_s <= second:
            plant.happen(left.pop(0), float(second))
    assert not system.failed.is_set()


def _config(scenario: Scenario, folder: Path, broker_port: int) -> SiteConfig:
    """The scenario's site.yaml, with its broker and its state in `folder`; ports of devices are still to be chosen."""
    config = scenario.site_config()
    sources = tuple(
        each.model_copy(update={"host": "127.0.0.1", "port": broker_port, "topic": TOPIC})
        for each in config.setpoints.mqtt
    )
    return config.model_copy(
        update={
            "control": config.control.model_copy(update={"state_dir": str(folder / "state")}),
            "setpoints": config.setpoints.model_copy(update={"mqtt": sources}),
            "metrics": None,
        }
    )
