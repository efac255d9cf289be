"""Setpoints in, state out. One MQTT connection per broker; paho's threads only leave messages and ring the bell."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from actors.actor import Actor, Surroundings
from actors.address import Recipient, tell_if_alive
from actors.clock import Clock
from actors.files.home_assistant_store import HomeAssistantStore
from actors.files.setpoint_store import SetpointStore
from actors.messages import Event, InverterRemoved, SetpointReceived, SetpointRefused, SetpointWithdrawn, Tick
from actors.mqtt.home_assistant import HomeAssistant
from actors.wire.mailbox import LOOK_INTERVAL_S, Looks, Mail, Mailbox, arrival_of
from actors.wire.mqtt_connection import Listener, MqttConnection
from orchestrator.config.audience import HOME_ASSISTANT, PORTFOLIO
from orchestrator.config.sections import Broker, PublishMqtt, SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import rfc3339
from orchestrator.portfolio.aggregate import aggregate_payload
from orchestrator.portfolio.answers import Answer, answer_payload
from orchestrator.portfolio.intake import CommandIntake
from orchestrator.portfolio.topics import aggregate_topic, answer_topic, command_topic
from orchestrator.setpoints.entered import as_message, can_be_entered, newest_entry
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import SETPOINTS, Arrival, Intake, KeptSource, Language, Outcome
from orchestrator.telemetry.home_assistant.discovery import ENTER_TOPIC
from orchestrator.telemetry.payloads import event_payload, rejected_payload, state_payloads
from orchestrator.telemetry.publish_schedule import PublishSchedule

log = logging.getLogger(__name__)

REMIND_INTERVAL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Connected:
    """The broker that we publish to is there (again)."""


@dataclass(frozen=True, slots=True)
class _Remind:
    """Tell the site what holds: it may have been started anew, and knows nothing then."""


@dataclass(frozen=True, slots=True)
class _Describe:
    """Send more of what Home Assistant is to know."""


class MqttActor(Actor):
    """Takes CycleResult and Event, and tells `site` SetpointReceived, SetpointWithdrawn and SetpointRefused."""

    def __init__(
        self,
        surroundings: Surroundings,
        config: SiteConfig,
        site: Recipient,
        store: SetpointStore,
        home_assistant: HomeAssistantStore,
    ) -> None:
        super().__init__("mqtt", surroundings)
        self._config = config
        self._site = site
        self._store = store
        self._intakes = restored_intakes(config, store.sources, surroundings.clock)
        self._commands = restored_commands(config, store.sources, surroundings.clock)
        self._mailbox = Mailbox(self._is_sound)
        self._looks = Looks()
        self._schedule = PublishSchedule()
        self._connections: dict[Broker, MqttConnection] = {}
        self._home_assistant = HomeAssistant(config, home_assistant, surroundings.clock, self._retain)
        self._describes = False

    def receive(self, message: Any) -> None:
        """The first Tick starts the connections."""
        match message:
            case Tick():
                self._connect()
                self._remind()
            case Mail():
                self._look_or_wait()
            case _Remind():
                self._remind()
            case InverterRemoved(name):
                self._withdraw_state(name)
                self._home_assistant.remove(name)
                self._describe()
            case _Connected():
                self._schedule.forget()
                self._home_assistant.connected()
                self._home_assistant.show(self._entered())
                self._describe()
            case _Describe():
                self._describes = False
                self._home_assistant.send()
                self._describe()
            case CycleResult():
                self._publish_state(message)
                self._speak_for_the_site(message)
                self._home_assistant.take(message)
                self._describe()
            case Event(name, subject, detail, why):
                payload = event_payload(name, subject, detail, self._time(), why)
                self._publish("events", payload, qos=0, retain=False)

    def close(self) -> None:
        """Say offline and disconnect."""
        self._home_assistant.save()
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
            message=lambda topic, payload, redelivered: self._leave(
                self._sources_of(topic, sources), payload, redelivered
            ),
            connected=lambda: tell_if_alive(self.actor_ref, _Connected()) if publish else None,
        )
        entered = (f"{publish.topic}/{ENTER_TOPIC}/+",) if publish and self._home_assistant.is_served else ()
        if publish is not None and publish.portfolio is not None:
            sources[command_topic(publish.topic)] = [PORTFOLIO]
        status = f"{publish.topic}/status" if publish else None
        commands = () if publish is None else (command_topic(publish.topic),)
        return MqttConnection(broker, listener, (*sources, *entered), status, qos_0=commands)

    def _sources_of(self, topic: str, sources: Mapping[str, list[str]]) -> list[str]:
        """Whose messages come on a topic; those of Home Assistant have a topic for each field."""
        publish = self._config.publish.mqtt
        if publish is not None and topic.startswith(f"{publish.topic}/{ENTER_TOPIC}/"):
            return [topic.removeprefix(f"{publish.topic}/")] if can_be_entered(topic.rpartition("/")[2]) else []
        return sources.get(topic, [])

    def _leave(self, sources: list[str], payload: bytes, redelivered: bool) -> None:
        """In paho's thread: leave a message, and ring once."""
        arrival = arrival_of(payload, redelivered, self.clock)
        for source in sources:
            if self._mailbox.put(source, arrival):
                tell_if_alive(self.actor_ref, Mail())

    def _look_or_wait(self) -> None:
        wait_s = self._looks.wait_s(self.clock.now_s())
        if wait_s > 0:
            self.later(wait_s, Mail())
            return
        for source, arrivals in self._mailbox.take().items():
            if source == PORTFOLIO and self._commands is not None:
                self._take_commands(self._commands, arrivals)
                continue
            if source not in self._intakes:
                self._enter(source.removeprefix(f"{ENTER_TOPIC}/"), arrivals)
                continue
            self._act_on(source, self._intakes[source].take(arrivals))
            self._keep(source)  # last: a limit is obeyed before it is kept

    def _is_sound(self, source: str, arrival: Arrival) -> bool:
        return source in self._intakes and self._intakes[source].is_sound(arrival)

    def _take_commands(self, commands: CommandIntake, arrivals: Sequence[Arrival]) -> None:
        """Commands of the portfolio: the newest that counts is told, and what does not count is answered at once."""
        taken = commands.take(arrivals)
        if taken.setpoint is not None:
            self._site.tell(SetpointReceived(taken.setpoint))
        for answer in taken.answers:
            self._answer(answer)
        for reason in taken.refusals:
            self.observer.setpoint_refused(PORTFOLIO)
            log.warning("a command of the portfolio is refused: %s", reason)
            self._site.tell(SetpointRefused(PORTFOLIO, reason))
        kept = commands.kept()
        if kept is not None:
            self._store.keep(PORTFOLIO, kept)

    def _speak_for_the_site(self, result: CycleResult) -> None:
        """To the portfolio: the site as one, and the answer to its command. Not retained: an old one is of no use."""
        publish, connection = self._config.publish.mqtt, self._publisher()
        if publish is None or publish.portfolio is None or connection is None or not connection.is_connected:
            return
        payload = aggregate_payload(self._config, publish.portfolio, result, self._time())
        if payload is not None:
            connection.publish(aggregate_topic(publish.topic), msgspec.json.encode(payload), qos=0, retain=False)
        answer = None if self._commands is None else self._commands.answer(result, self._time())
        if answer is not None:
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        publish, connection = self._config.publish.mqtt, self._publisher()
        if publish is not None and connection is not None:
            encoded = msgspec.json.encode(answer_payload(answer))
            connection.publish(answer_topic(publish.topic), encoded, qos=1, retain=False)

    def _enter(self, field: str, arrivals: Sequence[Arrival]) -> None:
        """A field was entered in Home Assistant: with the others that are, it is the setpoint of that source."""
        fields, arrival, reason = newest_entry(self._entered(), field, arrivals)
        if arrival is not None:
            whole = Arrival(as_message(fields), redelivered=False, at_s=arrival.at_s, wall=arrival.wall)
            self._act_on(HOME_ASSISTANT, self._intakes[HOME_ASSISTANT].take([whole]))
            self._keep(HOME_ASSISTANT)
        if reason is not None:
            self.observer.setpoint_refused(HOME_ASSISTANT)
            self._refuse(HOME_ASSISTANT, reason)
        self._home_assistant.show(self._entered())

    def _entered(self) -> SetpointFields:
        """What is entered in Home Assistant and holds."""
        intake = self._intakes.get(HOME_ASSISTANT)
        return intake.setpoint.fields if intake is not None and intake.setpoint is not None else SetpointFields()

    def _describe(self) -> None:
        if self._home_assistant.has_more and not self._describes:
            self._describes = True
            self.later(LOOK_INTERVAL_S, _Describe())

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
        commands = self._commands
        if commands is not None:
            self.observer.setpoint_fresh(PORTFOLIO, commands.is_fresh(now_s, wall))
            if commands.setpoint is not None and commands.is_fresh(now_s, wall):
                self._site.tell(SetpointReceived(commands.setpoint))
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
            connection.publish(f"{publish.topic}/{topic}", msgspec.json.encode(payload), qos=qos, retain=retain)

    def _withdraw_state(self, inverter: str) -> None:
        """A retained message without content takes the former one away."""
        publish, connection = self._config.publish.mqtt, self._publisher()
        if publish is not None and connection is not None:
            connection.publish(f"{publish.topic}/inverters/{inverter}", "", qos=1, retain=True)

    def _retain(self, topic: str, text: str, qos: int) -> bool:
        """Publish at a whole topic; whether there was a broker that took it."""
        connection = self._publisher()
        return (
            connection is not None and connection.is_connected and connection.publish(topic, text, qos=qos, retain=True)
        )

    def _publisher(self) -> MqttConnection | None:
        publish = self._config.publish.mqtt
        return self._connections.get(broker_of(publish)) if publish else None

    def _time(self) -> str:
        return rfc3339(self.clock.wall())


def restored_commands(config: SiteConfig, kept: Mapping[str, KeptSource], clock: Clock) -> CommandIntake | None:
    """The memory for the commands of the portfolio, as it was before a restart; None where the site has none."""
    publish = config.publish.mqtt
    if publish is None or publish.portfolio is None:
        return None
    origin = f"{publish.host}:{publish.port} {command_topic(publish.topic)}"
    now_s, wall = clock.now_s(), clock.wall()
    return CommandIntake.restored(publish.portfolio, origin, kept.get(PORTFOLIO), now_s=now_s, wall=wall)


def restored_intakes(config: SiteConfig, kept: Mapping[str, KeptSource], clock: Clock) -> dict[str, Intake]:
    """The memory of each MQTT source of `config`, as it was before a restart."""
    now_s, wall = clock.now_s(), clock.wall()
    sources: list[tuple[str, float | None, str, Broker, Language]] = [
        (entry.name, entry.validity_s, entry.topic, entry, entry.language) for entry in config.setpoints.mqtt
    ]
    screen = config.publish.for_home_assistant
    if screen is not None:
        sources.append((HOME_ASSISTANT, None, f"{screen.topic}/{ENTER_TOPIC}", screen, SETPOINTS))
    return {
        name: Intake.restored(
            name,
            validity_s,
            f"{broker.host}:{broker.port} {topic}",
            kept.get(name),
            now_s=now_s,
            wall=wall,
            language=language,
        )
        for name, validity_s, topic, broker, language in sources
    }


def broker_of(section: Broker) -> Broker:
    """How the broker of an entry is reached, without what the entry wants there: what two entries may share."""
    return Broker(**{name: getattr(section, name) for name in Broker.model_fields})
