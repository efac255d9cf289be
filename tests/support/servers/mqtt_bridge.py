"""What stands between `driver: mqtt` and real devices: publishes states of virtual ones, and carries commands out."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.simulation.server import RunningSite
from orchestrator.simulation.site import VirtualSite
from tests.support.servers.brokers import Mosquitto, MqttClient

PERIOD_S = 0.1
METER_TOPIC = "devices/meter"


def topic_of(inverter: str) -> str:
    """Where the state of an inverter is published."""
    return f"devices/{inverter}"


def by_mqtt(config: SiteConfig, broker: Mosquitto, *inverters: str, **meter: Any) -> SiteConfig:
    """The same site with its meter, and these inverters, by MQTT."""
    at = {"driver": "mqtt", "host": broker.host, "port": broker.port}
    sections = config.model_dump()
    sections["simulation"] = None
    sections["meter"] = at | {"topic": METER_TOPIC} | meter
    sections["inverters"] = [
        {"name": each["name"], **at, "topic": topic_of(each["name"])} if each["name"] in inverters else each
        for each in sections["inverters"]
    ]
    return SiteConfig.model_validate(sections)


class Bridge:
    """Publishes every 0.1 s while it `publishes_meter`, and for each inverter in `publishing`."""

    def __init__(self, site: RunningSite, broker: Mosquitto, inverters: tuple[str, ...]) -> None:
        self.client = MqttClient(broker.host, broker.port)
        self.publishes_meter = True
        self.publishing = set(inverters)
        self.nonsense: bytes | None = None
        self._site = site
        self._carried_out = dict.fromkeys(inverters, 0)
        for name in inverters:
            self.client.subscribe(f"{topic_of(name)}/command")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def commands(self, name: str) -> list[dict[str, Any]]:
        """What an inverter was told so far, oldest first."""
        return [message.json() for message in self.client.on(f"{topic_of(name)}/command")]

    def close(self) -> None:
        """Stop publishing, and disconnect."""
        self._ended.set()
        self._thread.join()
        self.client.close()

    def _run(self) -> None:
        while not self._ended.wait(PERIOD_S):
            for name in self._carried_out:
                self._carry_out(name)
            states = self._site.call(lambda site: {name: inverter_state(site, name) for name in self.publishing})
            if self.publishes_meter:
                states["meter"] = self._site.call(lambda site: {"site_watts": site.meter.site_watts})
            for name, state in states.items():
                self.client.publish_soon(f"devices/{name}", json.dumps(state))
            if self.nonsense is not None:
                self.client.publish_soon(METER_TOPIC, self.nonsense)

    def _carry_out(self, name: str) -> None:
        new = self.commands(name)[self._carried_out[name] :]
        self._carried_out[name] += len(new)
        if new:
            command = to_command(name, new[-1])
            self._site.call(lambda site: site.apply(command, site.now_s))


def inverter_state(site: VirtualSite, name: str) -> dict[str, Any]:
    """The state message of a virtual inverter."""
    sample = site.inverter_sample(name, 0.0)
    state = {"ac_watts": sample.ac_watts, "pv_watts": sample.pv_watts, "ac_max_watts": sample.nameplate.ac_max_watts}
    if sample.battery is not None:
        fields = ("watts", "soc_percent", "charge_max_watts", "discharge_max_watts", "capacity_wh")
        state["battery"] = {field: getattr(sample.battery, field) for field in fields}
    return state


def to_command(name: str, message: dict[str, Any]) -> InverterCommand:
    """A command message as the record that virtual inverters take."""
    battery = None
    if message["battery_mode"] is not None:
        battery = BatteryCommand(
            BatteryMode(message["battery_mode"]),
            low_watts=message["battery_low_watts"],
            high_watts=message["battery_high_watts"],
            grid_charging=message["battery_grid_charging"],
        )
    return InverterCommand(
        name,
        message["valid_for_s"],
        ac_limit_watts=message["ac_limit_watts"],
        connect=message["connect"],
        battery=battery,
    )


@contextlib.contextmanager
def bridge(site: RunningSite, broker: Mosquitto, *inverters: str) -> Iterator[Bridge]:
    """A running bridge for the meter and these inverters."""
    running = Bridge(site, broker, inverters)
    try:
        yield running
    finally:
        running.close()
