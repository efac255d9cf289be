"""A meter or an inverter that something else reads, and commands, by MQTT. The site does not know the difference."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any, Final

from actors.actor import Actor, Surroundings
from actors.address import Recipient, tell_if_alive
from actors.messages import Acknowledged, Command, Event, Read, Release, Report, Tick
from actors.meter import NAME as METER
from actors.wire.mailbox import Mailbox
from actors.wire.mqtt_connection import Listener, MqttConnection
from orchestrator.commands import InverterCommand
from orchestrator.config.sections import MqttInverterConfig, MqttMeterConfig
from orchestrator.devices.mqtt.intake import DeviceIntake, held_until_too_old, with_change
from orchestrator.devices.mqtt.messages import read_inverter, read_meter, write_command
from orchestrator.documents.json_values import without_time
from orchestrator.samples import InverterSample, MeterSample
from orchestrator.setpoints.intake import Arrival
from orchestrator.setpoints.payload import MAX_PAYLOAD_BYTES

log = logging.getLogger(__name__)

REFRESH_SHARE: Final = 0.4
"""A command is sent again after this share of its validity, as a register is refreshed."""
SILENT: Final = "timeout"
REFUSED: Final = "nonsense"


SAY_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Mail:
    """Messages wait in the mailbox."""


class _MqttDevice(Actor):
    """Holds the connection, and takes what comes on the topic. Subclasses say what to do with it."""

    def __init__(
        self,
        name: str,
        surroundings: Surroundings,
        config: MqttMeterConfig | MqttInverterConfig,
        intake: DeviceIntake[Any],
        site: Recipient,
    ) -> None:
        super().__init__(name, surroundings)
        self._topic = config.topic
        self._intake = intake
        self._site = site
        self._mailbox = Mailbox()
        self._refused_at_s = float("-inf")
        listener = Listener(message=self._leave, connected=lambda: None)
        self._connection = MqttConnection(config, listener, (config.topic,), None)
        self._has_started = False

    def receive(self, message: Any) -> None:
        """The first Tick starts the connection."""
        match message:
            case Tick() if not self._has_started:
                self._has_started = True
                self._connection.start()
            case _Mail():
                self._take_mail()

    def close(self) -> None:
        """Disconnect."""
        self._connection.stop()

    def _leave(self, _topic: str, payload: bytes, redelivered: bool) -> None:
        """In paho's thread: leave a message, and ring once."""
        arrival = Arrival(payload[: MAX_PAYLOAD_BYTES + 1], redelivered, self.clock.now_s(), self.clock.wall())
        if self._mailbox.put(self.name, arrival):
            tell_if_alive(self.actor_ref, _Mail())

    def _take_mail(self) -> None:
        for arrivals in self._mailbox.take().values():
            is_new, reasons = self._intake.take(arrivals)
            for reason in reasons:
                self._refuse(reason)
            if is_new:
                self.observer.request_done(self.name, 0.0, None)
                self._on_state()

    def _on_state(self) -> None:
        """There is a newer sample."""

    def _refuse(self, reason: str) -> None:
        """Count each. Say the first, and then one a minute at most: a sender that is wrong is wrong often."""
        self.observer.request_done(self.name, 0.0, REFUSED)
        now_s = self.clock.now_s()
        if now_s - self._refused_at_s >= SAY_EVERY_S:
            self._refused_at_s = now_s
            log.warning("a message of %s on %s is refused, its last state ages: %s", self.name, self._topic, reason)
            self._site.tell(Event("state_refused", self.name, reason))

    def _silence(self) -> str:
        return f"no state on {self._topic} that is young enough"


class MqttMeterActor(_MqttDevice):
    """Tells `site` each new value at once, and what holds every `report_interval_s`, until it is too old.

    `silent_after_s` is how long after its last answer the site takes a meter for silent.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        config: MqttMeterConfig,
        silent_after_s: float,
        report_interval_s: float,
        site: Recipient,
    ) -> None:
        intake = DeviceIntake[MeterSample](read_meter, config.max_age_s, with_change)
        super().__init__(METER, surroundings, config, intake, site)
        self._max_age_s = config.max_age_s
        self._report_interval_s = report_interval_s
        self._silent_after_s = silent_after_s

    def receive(self, message: Any) -> None:
        """Each Tick says what holds, and asks for the next one."""
        super().receive(message)
        if isinstance(message, Tick):
            self._report()
            self.later(self._report_interval_s, Tick())

    def _on_state(self) -> None:
        self._report()

    def _report(self) -> None:
        now_s = self.clock.now_s()
        sample: MeterSample | None = self._intake.sample(now_s)
        if sample is None:
            self._site.tell(Report(self.name, 0, fault=SILENT, detail=self._silence()))
            return
        held = held_until_too_old(sample, now_s, max_age_s=self._max_age_s, silent_after_s=self._silent_after_s)
        self._site.tell(Report(self.name, 0, held))


class MqttInverterActor(_MqttDevice):
    """Answers each Read with the newest state, and publishes commands: changed ones at once, others to renew them."""

    def __init__(
        self, surroundings: Surroundings, *, config: MqttInverterConfig, sample_window_s: float, site: Recipient
    ) -> None:
        max_age_s = sample_window_s if config.max_age_s is None else min(config.max_age_s, sample_window_s)
        intake = DeviceIntake[InverterSample](lambda arrival: read_inverter(arrival, config.name), max_age_s)
        super().__init__(config.name, surroundings, config, intake, site)
        self._config = config
        self._sent: dict[str, Any] = {}
        self._sent_at_s = float("-inf")

    def receive(self, message: Any) -> None:
        """Read, Command and Release, answered by Report and Acknowledged to the site."""
        match message:
            case Read():
                self._on_read(message)
            case Command(command, issued_at_s):
                self._carry_out(command, issued_at_s)
            case Release(command, issued_at_s):
                self._carry_out(command, issued_at_s, released=True)
            case _:
                super().receive(message)

    def _on_read(self, read: Read) -> None:
        now_s = self.clock.now_s()
        if now_s > read.until_s:
            return
        sample: InverterSample | None = self._intake.sample(now_s)
        if sample is None:
            self._site.tell(Report(self.name, read.cycle, fault=SILENT, detail=self._silence()))
        else:
            self._site.tell(Report(self.name, read.cycle, sample))

    def _carry_out(self, command: InverterCommand, issued_at_s: float, *, released: bool = False) -> None:
        """Publish it, not retained: an inverter that comes back later must not find an old command."""
        now_s = self.clock.now_s()
        payload = write_command(command, self.clock.wall())
        fault, detail, writes = None, "", 0
        if not released and now_s - issued_at_s > command.valid_for_s:
            fault, detail = "stale", "the command waited for too long"
        elif not self._connection.is_connected:
            fault, detail, self._sent = "connection", "the MQTT broker cannot be reached", {}
        elif released or self._is_due(payload, command, now_s):
            topic = self._config.topic_of_commands
            self._connection.publish(topic, json.dumps(payload, allow_nan=False), qos=1, retain=False)
            self.observer.register_written(self.name, "mqtt.command")
            self._sent, self._sent_at_s, writes = _meaning(payload), now_s, 1
        self._site.tell(Acknowledged(self.name, issued_at_s, self.clock.now_s(), writes, fault, detail, released))

    def _is_due(self, payload: dict[str, Any], command: InverterCommand, now_s: float) -> bool:
        return _meaning(payload) != self._sent or now_s - self._sent_at_s >= REFRESH_SHARE * command.valid_for_s


def _meaning(payload: dict[str, Any]) -> dict[str, Any]:
    """What must differ for a command to be another one."""
    return {key: value for key, value in without_time(payload).items() if key not in ("valid_until", "reasons")}
