"""Very many sites in one process: the same messages as a real one's, and physics of one line each.

A light site takes commands with the same code as a real one (`CommandIntake`), so that numbers, validities and refusals
are what they are there. Its battery follows what it is told with a time constant of about a second.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import signal
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec

from actors.wire.mqtt_connection import Listener, MqttConnection
from orchestrator.config.audience import PortfolioConfig
from orchestrator.config.sections import Broker
from orchestrator.documents.json_values import Payload, rfc3339
from orchestrator.portfolio.answers import Answer, Clip, answer_payload
from orchestrator.portfolio.intake import CommandIntake
from orchestrator.portfolio.topics import aggregate_topic, answer_topic, command_topic
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Arrival

SLOTS: Final = 10
"""Sites speak once a second, a tenth of them at a time."""
FOLLOWS_PART: Final = 0.7
"""So much of the way to its target a battery goes in a second."""


@dataclass
class LightSite:
    """One site, import and charging positive, in W and Wh."""

    name: str
    pv_watts: float
    load_watts: float
    capacity_wh: float
    power_watts: float
    soc_percent: float
    commands: CommandIntake
    battery_watts: float = 0.0
    made_watts: float = 0.0
    seed: random.Random = field(default_factory=random.Random)

    @classmethod
    def made(cls, name: str) -> LightSite:
        """The same site for the same name."""
        dice = random.Random(name)
        capacity_wh = dice.choice((5000.0, 8000.0, 10000.0, 15000.0))
        return cls(
            name,
            dice.uniform(0.0, 6000.0),
            dice.uniform(200.0, 2500.0),
            capacity_wh,
            capacity_wh / 2,
            dice.uniform(20.0, 90.0),
            CommandIntake(PortfolioConfig(grid_charging=True), name),
            seed=dice,
        )

    @property
    def rating_watts(self) -> float:
        """Of its inverters together."""
        return 6000.0 + self.power_watts

    @property
    def charge_max_watts(self) -> float:
        """What its battery can take now."""
        return 0.0 if self.soc_percent >= 100 else self.power_watts

    @property
    def discharge_max_watts(self) -> float:
        """What it can give now."""
        return 0.0 if self.soc_percent <= 5 else self.power_watts

    def asked(self, now_s: float, wall_s: float) -> SetpointFields:
        """What its portfolio asks for; nothing where no command holds."""
        setpoint = self.commands.setpoint
        return setpoint.fields if setpoint is not None and setpoint.is_valid(now_s, wall_s) else SetpointFields()

    def target_watts(self, asked: SetpointFields) -> float:
        """What the battery is to do: what is asked for, else it stores what the sun leaves."""
        wanted = asked.battery_target_watts
        if wanted is None:
            wanted = self.pv_watts - self.load_watts
        if asked.battery_charge_max_watts is not None:
            wanted = min(wanted, asked.battery_charge_max_watts)
        return max(min(wanted, self.charge_max_watts), -self.discharge_max_watts)

    def live(self, asked: SetpointFields, seconds: float) -> None:
        """Go on by so many seconds."""
        self.battery_watts += (self.target_watts(asked) - self.battery_watts) * (1 - (1 - FOLLOWS_PART) ** seconds)
        self.soc_percent += self.battery_watts * seconds / 3600 / self.capacity_wh * 100
        self.pv_watts = min(max(self.pv_watts + self.seed.uniform(-20, 20), 0.0), 6000.0)
        limit = math.inf if asked.generation_limit_watts is None else asked.generation_limit_watts
        self.made_watts = min(self.pv_watts, max(limit + self.battery_watts, 0.0))

    def payload(self, time_text: str, asked: SetpointFields) -> Payload:
        """What it says of itself."""
        ac_watts = self.made_watts - self.battery_watts
        return {
            "time": time_text,
            "ac_watts": round(ac_watts),
            "pv_watts": round(self.made_watts),
            "site_watts": round(self.load_watts - ac_watts),
            "ac_limit_watts": asked.generation_limit_watts,
            "ac_max_watts": self.rating_watts,
            "battery": {
                "watts": round(self.battery_watts),
                "soc_percent": round(self.soc_percent, 2),
                "charge_max_watts": self.charge_max_watts,
                "discharge_max_watts": self.discharge_max_watts,
                "capacity_wh": self.capacity_wh,
                "grid_charging_allowed": True,
            },
            "response_s": 1.0,
            "mode": "normal",
            "model": "light site",
        }

    def take(self, arrival: Arrival) -> Sequence[Answer]:
        """The answers to a command."""
        taken = self.commands.take([arrival])
        if taken.answers or self.commands.newest is None:
            return taken.answers
        asked = self.asked(arrival.at_s, arrival.wall.timestamp())
        wanted, does = asked.battery_target_watts, self.target_watts(asked)
        clipped = () if wanted is None or does == wanted else (Clip("battery_target_watts", wanted, does, "its power"),)
        newest = self.commands.newest
        return (Answer(rfc3339(arrival.wall), "clipped" if clipped else "accepted", newest, newest, clipped),)


class Village:
    """All of them, behind one connection."""

    def __init__(self, sites: Sequence[LightSite], broker: Broker, prefix: str) -> None:
        self._sites, self._prefix = list(sites), prefix
        self._by_topic = {command_topic(f"{prefix}/{each.name}"): each for each in sites}
        self._inbox: deque[tuple[str, Arrival]] = deque()
        listener = Listener(message=self._leave, connected=lambda: None)
        topic = f"{prefix}/+/aggregate/command"
        self._connection = MqttConnection(broker, listener, (topic,), None, qos_0=(topic,))

    def run(self, ended: threading.Event) -> None:
        """Until it is ended."""
        self._connection.start()
        slot, lived_s = 0, [time.monotonic()] * SLOTS
        while not ended.wait(max(1.0 / SLOTS - time.monotonic() % (1.0 / SLOTS), 0.001)):
            self._answer()
            now_s, wall = time.monotonic(), datetime.now(UTC)
            for site in self._sites[slot::SLOTS]:
                asked = site.asked(now_s, wall.timestamp())
                site.live(asked, min(now_s - lived_s[slot], 5.0))
                self._publish(aggregate_topic(f"{self._prefix}/{site.name}"), site.payload(rfc3339(wall), asked))
            lived_s[slot] = now_s
            slot = (slot + 1) % SLOTS
        self._connection.stop()

    def _leave(self, topic: str, payload: bytes, redelivered: bool) -> None:
        self._inbox.append((topic, Arrival(payload, redelivered, time.monotonic(), datetime.now(UTC))))

    def _answer(self) -> None:
        while self._inbox:
            topic, arrival = self._inbox.popleft()
            site = self._by_topic.get(topic)
            for answer in () if site is None else site.take(arrival):
                self._publish(answer_topic(topic.removesuffix("/aggregate/command")), answer_payload(answer))

    def _publish(self, topic: str, payload: Payload) -> None:
        self._connection.publish(topic, msgspec.json.encode(payload), qos=0, retain=False)


def main() -> None:
    """Until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True, help="JSON: host, port, other_hosts")
    parser.add_argument("--prefix", default="sites")
    parser.add_argument("names", help="JSON: a list of names")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    sites = [LightSite.made(name) for name in json.loads(options.names)]
    Village(sites, Broker.model_validate(json.loads(options.broker)), options.prefix).run(ended)


if __name__ == "__main__":
    main()
