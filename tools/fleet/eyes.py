"""What the sites say, heard beside the portfolio: how many there are, and what their batteries do together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from actors.wire.mqtt_connection import Listener, MqttConnection
from orchestrator.config.sections import Broker
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.payload import message_of

YOUNG_S: Final = 5.0
LOOK_EVERY_S: Final = 0.2
STAYS_S: Final = 5.0


@dataclass
class Eyes:
    """Every message of the sites and to them, counted, and the newest word of each site."""

    broker: Broker
    counts: dict[str, int] = field(default_factory=dict)
    _newest: dict[str, tuple[float, dict[str, float]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        listener = Listener(message=self._take, connected=lambda: None)
        topic = "sites/+/aggregate/#"
        self._connection = MqttConnection(self.broker, listener, (topic,), None, qos_0=(topic,))
        self._connection.start()

    def close(self) -> None:
        """Disconnect."""
        self._connection.stop()

    def ask(self, fields: SetpointFields) -> None:
        """A setpoint for the portfolio."""
        self._connection.publish("fleet/setpoints", message_of(fields), qos=1, retain=True)

    @property
    def heard(self) -> int:
        """How many sites have spoken of late."""
        now_s = time.monotonic()
        with self._lock:
            return sum(now_s - at_s < YOUNG_S for at_s, _ in self._newest.values())

    def battery(self, name: str) -> float:
        """The sum of what the batteries of all sites say under this name."""
        with self._lock:
            return sum(battery.get(name) or 0.0 for _, battery in self._newest.values())

    def reaches(self, target_watts: float, tolerance_watts: float, within_s: float) -> float | None:
        """After how many seconds the sum has come to a target and stays there; None where it has not in time.

        It may be there by chance when it is asked, on its way to somewhere else.
        """
        began_s, since_s = time.monotonic(), None
        while (after_s := time.monotonic() - began_s) < within_s:
            if abs(self.battery("watts") - target_watts) > tolerance_watts:
                since_s = None
            elif since_s is None:
                since_s = after_s
            elif after_s - since_s >= STAYS_S:
                return since_s
            time.sleep(LOOK_EVERY_S)
        return None

    def farthest(self, target_watts: float, for_s: float) -> float:
        """How far the sum goes away from a target, at most, in so many seconds."""
        end_s, farthest = time.monotonic() + for_s, 0.0
        while time.monotonic() < end_s:
            farthest = max(farthest, abs(self.battery("watts") - target_watts))
            time.sleep(LOOK_EVERY_S)
        return farthest

    def _take(self, topic: str, payload: bytes, _redelivered: bool) -> None:
        kind = topic.rpartition("/")[2]
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind == "aggregate":
            battery = json.loads(payload).get("battery") or {}
            with self._lock:
                self._newest[topic] = (time.monotonic(), battery)


def waits_for(condition: Callable[[], bool], within_s: float) -> bool:
    """Whether it comes true in time."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(LOOK_EVERY_S)
    return True
