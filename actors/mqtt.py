"""Setpoints in, state out. One MQTT connection per broker; paho's threads only leave messages and ring the bell."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from actors.actor import Actor, Surroundings
from actors.address import Recipient, tell_if_alive
from actors.clock import Clock
from actors.files.setpoint_store import SetpointStore
from actors.messages import Event, InverterRemoved, SetpointReceived, SetpointRefused, SetpointWithdrawn, Tick
from actors.wire.mailbox import Mailbox
from actors.wire.mqtt_connection import Listener, MqttConnection
from orchestrator.config.sections import Broker, PublishMqtt, SiteConfig
from orchestrator.cycle import CycleResult
from orchestrator.documents.json_values import rfc3339
from orchestrator.setpoints.intake import Arrival, Intake, KeptSource, Outcome
from orchestrator.setpoints.payload import MAX_PAYLOAD_BYTES
from orchestrator.telemetry.payloads import event_payload, rejected_payload, state_payloads
from orchestrator.telemetry.publish_schedule import PublishSchedule

log = logging.getLogger(__name__)

LOOK_INTERVAL_S: Final = 0.1
"""Messages are looked at ten times a second at most; between two looks only the newest counts."""
REMIND_INTERVAL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Mail:
    """Messages wait in the mailbox."""


@dataclass(frozen=True, slots=True)
class _Connected:
    """The broker that we publish to is there (again)."""


@dataclass(frozen=True, slots=True)
class _Remind:
    """Tell the site what holds: it may have been started anew, and knows nothing then."""


class MqttActor(Actor):
    """Takes CycleResult and Event, and tells `site` SetpointReceived, SetpointWithdrawn and SetpointRefused."""

    def __init__(self, surroundings: Surroundings, config: SiteConfig, site: Recipient, store: SetpointStore) -> None:
        super().__init__("mqtt", surroundings)
        self._config = config
        self._site = site
        self._store = store
        self._intakes = restored_intakes(config, store.sources, surroundings.clock)
        self._mailbox = Mailbox(lambda source, arrival: self._intakes[source].is_sound(arrival))
        self._looked_at_s = -LOOK_INTERVAL_S
        self._schedule = PublishSchedule()
        self._connections: dict[Broker, MqttConnection] = {}

    def receive(self, message: Any) -> None:
        """The first Tick starts the connections."""
        match message:
            case Tick():
                self._connect()
                self._remind()
            case _Mail():
                self._look_or_wait()
            case _Remind():
                self._remind()
            case InverterRemoved(name):
                self._withdraw_state(name)
            case _Connected():
                self._schedule.forget()
            case CycleResult():
                self._publish_state(message)
            case Event(name, subject, detail):
                self._publish("events", event_payload(name, subject, detail, self._time()), qos=0, retain=False)

    def close(self) -> None:
        """Say offline and disconnect."""
        for connection in self._connections.values():
            connection.stop()
        self._connections.clear()

    def _connect(self) -> None:
        publish = self._config.publish.mqtt
        entries = (*self._config.setpoints.mqtt, *((publish,) if publish else ()))
        for broker in dict.fromkeys(broker_of(entry) for entry in entries):
            publishes = publish is not None and broker_of(publish) == broker
            self._connections[broker] = self._connection(broker, publish if publishes else None)
        for connection in self._connections.values():
            connection.start()

    def _connection(self, broker: Broker, publish: PublishMqtt | None) -> MqttConnection:
        sources: dict[str, list[str]] = {}
        for entry in self._config.setpoints.mqtt:
            if broker_of(entry) == broker:
                sources.setdefault(entry.topic, []).append(entry.name)
        listener = Listener(
            message=lambda topic, payload, redelivered: self._leave(sources.get(topic, []), payload, redelivered),
            connected=lambda: tell_if_alive(self.actor_ref, _Connected()) if publish else None,
        )
        return MqttConnection(broker, listener, tuple(sources), f"{publish.topic}/status" if publish else None)

    def _leave(self, sources: list[str], payload: bytes, redelivered: bool) -> None:
        """In paho's thread: leave a message, and ring once. What is too long is cut, to be refused for it later."""
        arrival = Arrival(payload[: MAX_PAYLOAD_BYTES + 1], redelivered, self.clock.now_s(), self.clock.wall())
        for source in sources:
            if self._mailbox.put(source, arrival):
                tell_if_alive(self.actor_ref, _Mail())

    def _look_or_wait(self) -> None:
        wait_s = self._looked_at_s + LOOK_INTERVAL_S - self.clock.now_s()
        if wait_s > 0:
            self.later(wait_s, _Mail())
            return
        self._looked_at_s = self.clock.now_s()
        for source, arrivals in self._mailbox.take().items():
            self._act_on(source, self._intakes[source].take(arrivals))
            self._keep(source)  # last: a limit is obeyed before it is kept

    def _act_on(self, source: str, outcome: Outcome) -> None:
        if outcome.setpoint is not None:
            self._site.tell(SetpointReceived(outcome.setpoint))
        if outcome.withdrawn:
            self._site.tell(SetpointWithdrawn(source))
        for _ in outcome.reasons:
            self.observer.setpoint_refused(source)
        if outcome.reasons:
            self._refuse(source, outcome.reasons[0])

    def _keep(self, source: str) -> None:
        kept = self._intakes[source].kept()
        if kept is not None:
            self._store.keep(source, kept)

    def _refuse(self, source: str, reason: str) -> None:
        log.warning("a message of setpoint source %s is refused, its former setpoint stays: %s", source, reason)
        self._site.tell(SetpointRefused(source, reason))
        self._publish("rejected", rejected_payload(source, reason, self._time()), qos=1, retain=False)

    def _remind(self) -> None:
        now_s, wall = self.clock.now_s(), self.clock.wall()
        for source, intake in self._intakes.items():
            outcome = intake.reconsider(now_s, wall)
            self.observer.setpoint_fresh(source, intake.is_fresh(now_s, wall))
            if intake.setpoint is not None and intake.setpoint.is_valid(now_s, wall.timestamp()):
                self._site.tell(SetpointReceived(intake.setpoint))
            if outcome.setpoint is not None:
                self._keep(source)
        self.later(REMIND_INTERVAL_S, _Remind())

    def _publish_state(self, result: CycleResult) -> None:
        connection = self._publisher()
        if connection is None or not connection.is_connected:
            return  # all of it is published when the broker is back
        payloads = state_payloads(result, self._time())
        for topic in self._schedule.due(payloads, self.clock.now_s()):
            self._publish(topic, payloads[topic], qos=1 if topic == "limits" else 0, retain=True)

    def _publish(self, topic: str, payload: Mapping[str, Any], *, qos: int, retain: bool) -> None:
        publish, connection = self._config.publish.mqtt, self._publisher()
        if publish is not None and connection is not None:
            connection.publish(f"{publish.topic}/{topic}", json.dumps(payload, allow_nan=False), qos=qos, retain=retain)

    def _withdraw_state(self, inverter: str) -> None:
        """A retained message without content takes the former one away."""
        publish, connection = self._config.publish.mqtt, self._publisher()
        if publish is not None and connection is not None:
            connection.publish(f"{publish.topic}/inverters/{inverter}", "", qos=1, retain=True)

    def _publisher(self) -> MqttConnection | None:
        publish = self._config.publish.mqtt
        return self._connections.get(broker_of(publish)) if publish else None

    def _time(self) -> str:
        return rfc3339(self.clock.wall())


def restored_intakes(config: SiteConfig, kept: Mapping[str, KeptSource], clock: Clock) -> dict[str, Intake]:
    """The memory of each MQTT source of `config`, as it was before a restart."""
    now_s, wall = clock.now_s(), clock.wall()
    return {
        entry.name: Intake.restored(
            entry.name,
            entry.validity_s,
            f"{entry.host}:{entry.port} {entry.topic}",
            kept.get(entry.name),
            now_s=now_s,
            wall=wall,
        )
        for entry in config.setpoints.mqtt
    }


def broker_of(section: Broker) -> Broker:
    """How the broker of an entry is reached, without what the entry wants there: what two entries may share."""
    return Broker(**{name: getattr(section, name) for name in Broker.model_fields})
