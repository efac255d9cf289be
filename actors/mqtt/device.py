"""A meter or an inverter that something else reads, and commands, by MQTT. The site does not know the difference."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from actors.actor import Actor, Surroundings, actor_of
from actors.address import Recipient, tell_if_alive
from actors.messages import Command, Event, Read, Release, Report, Tick
from actors.meter import NAME as METER
from actors.mqtt.commands import CommandSender
from actors.wire.mailbox import Mail, Mailbox, arrival_of
from actors.wire.mqtt_connection import Listener, MqttConnection
from orchestrator.commands import InverterCommand
from orchestrator.config.sections import MqttInverterConfig, MqttMeterConfig
from orchestrator.devices.mqtt.intake import DeviceIntake, held_until_too_old, with_change
from orchestrator.devices.mqtt.messages import read_inverter, read_meter
from orchestrator.documents.json_values import Payload
from orchestrator.errors import PayloadError
from orchestrator.reason import Reason, because
from orchestrator.samples import InverterSample, MeterSample

log = logging.getLogger(__name__)

SILENT: Final = "timeout"
REFUSED: Final = "nonsense"
SAY_EVERY_S: Final = 60.0


class Refusals:
    """Messages of one device that cannot be read. Each is counted; the first is said, and then one a minute at most: a
    sender that is wrong is wrong often.
    """

    def __init__(self, name: str, surroundings: Surroundings, site: Recipient) -> None:
        self._name = name
        self._clock, self._observer, self._site = surroundings.clock, surroundings.observer, site
        self._said_at_s = float("-inf")

    def take(self, what: str, trouble: PayloadError) -> None:
        """Refuse `what`, in words, for `trouble`."""
        self._observer.request_done(self._name, 0.0, REFUSED)
        now_s = self._clock.now_s()
        if now_s - self._said_at_s >= SAY_EVERY_S:
            self._said_at_s = now_s
            log.warning("%s is refused: %s", what, trouble)
            self._site.tell(
                Event.of(
                    "state_refused", self._name, because("not_readable", trouble=str(trouble), trouble_why=trouble.why)
                )
            )


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
        self._refusals = Refusals(self.name, surroundings, site)
        listener = Listener(message=self._leave, connected=lambda: None)
        self._connection = MqttConnection(config, listener, (self._topic,), None)
        self._has_started = False

    def receive(self, message: Any) -> None:
        """The first Tick starts the connection."""
        match message:
            case Tick() if not self._has_started:
                self._has_started = True
                self._connection.start()
            case Mail():
                self._take_mail()

    def close(self) -> None:
        """Disconnect."""
        self._connection.stop()

    def _leave(self, _topic: str, payload: bytes, redelivered: bool) -> None:
        """In paho's thread: leave a message, and ring once."""
        arrival = arrival_of(payload, redelivered, self.clock)
        if self._mailbox.put(self.name, arrival):
            tell_if_alive(self.actor_ref, Mail())

    def _take_mail(self) -> None:
        for arrivals in self._mailbox.take().values():
            is_new, reasons = self._intake.take(arrivals)
            for reason in reasons:
                self._refusals.take(f"a message of {self.name} on {self._topic} (its last state ages)", reason)
            if is_new:
                self.observer.request_done(self.name, 0.0, None)
                self._on_state()

    def _on_state(self) -> None:
        """There is a newer sample."""

    def _silence(self) -> Reason:
        return because("state_too_old", topic=self._topic)


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
            self._site.tell(Report(self.name, 0, fault=SILENT, why=self._silence()))
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
        super().__init__(actor_of(config.name), surroundings, config, intake, site)
        self._config = config
        self._commands = CommandSender(self.name, self._connection, self.clock, self._publish)

    def receive(self, message: Any) -> None:
        """Read, Command and Release, answered by Report and Acknowledged to the site."""
        match message:
            case Read():
                self._on_read(message)
            case Command(command, issued_at_s):
                self._site.tell(self._commands.carry_out(command, issued_at_s))
            case Release(command, issued_at_s):
                self._site.tell(self._commands.carry_out(command, issued_at_s, released=True))
            case _:
                super().receive(message)

    def _on_read(self, read: Read) -> None:
        now_s = self.clock.now_s()
        if now_s > read.until_s:
            return
        sample: InverterSample | None = self._intake.sample(now_s)
        if sample is None:
            self._site.tell(Report(self.name, read.cycle, fault=SILENT, why=self._silence()))
        else:
            self._site.tell(Report(self.name, read.cycle, sample))

    def _publish(self, payload: Payload, _command: InverterCommand) -> None:
        """Not retained: an inverter that comes back later must not find an old command."""
        words = json.dumps(payload, allow_nan=False)
        self._connection.publish(self._config.topic_of_commands, words, qos=1, retain=False)
        self.observer.register_written(self.name, "mqtt.command")
