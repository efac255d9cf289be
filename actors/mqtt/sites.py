"""The sites of a portfolio: one actor and one connection for each broker, however many sites there are.

It answers each Read with the newest word of a site, sends commands and repeats them until they are answered, and where
the meter is the sum of theirs it tells that as well, from the same picture.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from actors.actor import Actor, Surroundings
from actors.address import Recipient, tell_if_alive
from actors.messages import Command, Event, Read, Release, Report, Tick
from actors.mqtt.actor import broker_of
from actors.mqtt.commands import CommandSender
from actors.mqtt.device import SILENT, Refusals
from actors.wire.mailbox import Looks, Mail, Mailbox, arrival_of
from actors.wire.mqtt_connection import Listener, MqttConnection
from orchestrator.commands import InverterCommand
from orchestrator.config.policy import meter_silent_after_s
from orchestrator.config.sections import Broker, MqttInverterConfig, SiteConfig, SumMeterConfig
from orchestrator.devices.mqtt.intake import DeviceIntake, held_until_too_old
from orchestrator.devices.mqtt.messages import SiteSample, read_site
from orchestrator.documents.json_values import Payload
from orchestrator.errors import PayloadError
from orchestrator.portfolio.answers import Answer, read_answer
from orchestrator.portfolio.outbox import Outbox
from orchestrator.portfolio.sum_meter import Picture, picture, why_left_out
from orchestrator.portfolio.topics import subscriptions
from orchestrator.reason import because
from orchestrator.samples import METER, MeterSample
from orchestrator.setpoints.intake import Arrival

log = logging.getLogger(__name__)

NAME: Final = "sites"
ANSWER: Final = "/answer"
REPEAT_INTERVAL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class ForSite:
    """A message of the loop to one site."""

    name: str
    message: Any


@dataclass(frozen=True, slots=True)
class SiteAddress:
    """Where the loop reaches one site: as it reaches an inverter."""

    name: str
    sites: Recipient

    def tell(self, message: Any) -> None:
        """Queue `message`."""
        self.sites.tell(ForSite(self.name, message))


@dataclass(frozen=True, slots=True)
class _Repeat:
    """Send again what nobody has answered."""


@dataclass(slots=True)
class _Site:
    """One site: what it said, and what it is told."""

    config: MqttInverterConfig
    connection: MqttConnection
    intake: DeviceIntake[SiteSample]
    outbox: Outbox
    commands: CommandSender
    refusals: Refusals
    said: str = ""


class SitesActor(Actor):
    """Takes ForSite, tells `site` Report and Acknowledged of each, and Report of the meter where that is the sum."""

    def __init__(self, surroundings: Surroundings, config: SiteConfig, site: Recipient) -> None:
        super().__init__(NAME, surroundings)
        self._surroundings = surroundings
        self._config = config
        self._site = site
        self._mailbox = Mailbox()
        self._topics: dict[Broker, dict[str, str]] = {}
        self._connections: dict[Broker, MqttConnection] = {}
        self._max_age_s = config.control.sample_window_s
        if isinstance(config.meter, SumMeterConfig):
            self._max_age_s = min(config.meter.max_age_s, self._max_age_s)
        self._sites: dict[str, _Site] = {}
        self._picture = Picture()
        self._told: MeterSample | None = None
        self._looks = Looks()

    def receive(self, message: Any) -> None:
        """The first Tick connects; each tells the sum, where the meter is one."""
        match message:
            case Tick():
                if not self._sites:
                    self._connect()
                self._tell_sum()
            case Mail():
                self._look_or_wait()
            case _Repeat():
                self._repeat()
            case ForSite(name, Read() as read) if name in self._sites:
                self._on_read(name, read)
            case ForSite(name, Command(command, issued_at_s)) if name in self._sites:
                self._site.tell(self._sites[name].commands.carry_out(command, issued_at_s))
            case ForSite(name, Release(command, issued_at_s)) if name in self._sites:
                self._site.tell(self._sites[name].commands.carry_out(command, issued_at_s, released=True))

    def close(self) -> None:
        """Disconnect."""
        for connection in self._connections.values():
            connection.stop()

    def _connect(self) -> None:
        for each in self._config.sites:
            topics = self._topics.setdefault(broker_of(each), {})
            topics[each.topic_of_state] = each.name
            topics[each.topic_of_answers] = each.name + ANSWER
        for broker, topics in self._topics.items():
            asked = subscriptions([each.topic for each in self._config.sites if broker_of(each) == broker])
            self._connections[broker] = MqttConnection(broker, self._listener(topics), asked, None, qos_0=asked)
        wall_s = self.clock.wall().timestamp()
        for each in self._config.sites:
            self._sites[each.name] = self._new_site(each, wall_s)
        for connection in self._connections.values():
            connection.start()
        self.later(REPEAT_INTERVAL_S, _Repeat())

    def _new_site(self, config: MqttInverterConfig, wall_s: float) -> _Site:
        connection, outbox = self._connections[broker_of(config)], Outbox(wall_s, msgspec.json.encode)

        def publish(payload: Payload, command: InverterCommand) -> None:
            """Without the care of a broker (QoS 0, not retained): the answer is what says that it came."""
            self._send(site, outbox.put(payload, command.valid_for_s, self.clock.now_s()))
            self.observer.register_written(config.name, "site.command")

        site = _Site(
            config,
            connection,
            DeviceIntake[SiteSample](_reader(config.name), self._max_age_s),
            outbox,
            CommandSender(config.name, connection, self.clock, publish),
            Refusals(config.name, self._surroundings, self._site),
        )
        return site

    def _listener(self, topics: dict[str, str]) -> Listener:
        """In paho's thread: leave a message, and ring once."""

        def leave(topic: str, payload: bytes, redelivered: bool) -> None:
            sender = topics.get(topic)
            if sender is None:  # of a site that is none of ours
                return
            arrival = arrival_of(payload, redelivered, self.clock)
            if self._mailbox.put(sender, arrival):
                tell_if_alive(self.actor_ref, Mail())

        return Listener(message=leave, connected=lambda: None)

    def _look_or_wait(self) -> None:
        wait_s = self._looks.wait_s(self.clock.now_s())
        if wait_s > 0:
            self.later(wait_s, Mail())
            return
        for sender, arrivals in self._mailbox.take().items():
            if sender.endswith(ANSWER):
                self._take_answers(self._sites[sender.removesuffix(ANSWER)], arrivals)
            else:
                self._take_states(self._sites[sender], arrivals)

    def _take_states(self, site: _Site, arrivals: tuple[Arrival, ...]) -> None:
        is_new, reasons = site.intake.take(arrivals)
        for reason in reasons:
            site.refusals.take(f"a state of site {site.config.name}", reason)
        if is_new:
            self.observer.request_done(site.config.name, 0.0, None)

    def _take_answers(self, site: _Site, arrivals: tuple[Arrival, ...]) -> None:
        for arrival in arrivals:
            try:
                answer = read_answer(arrival.payload)
            except PayloadError as error:
                site.refusals.take(f"an answer of site {site.config.name}", error)
                continue
            if site.outbox.take(answer):
                site.commands.forget()  # the next goes out at once, with a higher number
            self._say(site, answer)

    def _say(self, site: _Site, answer: Answer) -> None:
        """What is new in the answers of a site, once."""
        said = " ".join((answer.answer, *(each.field for each in answer.clipped)))
        if said == site.said:
            return
        site.said = said
        if answer.answer == "refused":
            log.warning("site %s refuses a command: %s", site.config.name, answer.reason)
            self._site.tell(Event("command_refused", site.config.name, answer.reason or ""))
        elif answer.clipped:
            log.info("site %s takes a command only in part: %s", site.config.name, _in_words(answer))

    def _tell_sum(self) -> None:
        meter = self._config.meter
        if not isinstance(meter, SumMeterConfig):
            return
        self.later(meter.interval_s, Tick())
        now_s = self.clock.now_s()
        heard = {name: sample for name, each in self._sites.items() if (sample := each.intake.sample(now_s))}
        self._picture = picture(heard, self._told, now_s, self._max_age_s)
        self._told = self._picture.meter or self._told
        if self._picture.meter is None:
            self._site.tell(Report(METER, 0, fault=SILENT, why=because("no_meter_of_sites")))
            return
        silent_after_s = meter_silent_after_s(self._config)
        held = held_until_too_old(self._picture.meter, now_s, max_age_s=self._max_age_s, silent_after_s=silent_after_s)
        self._site.tell(Report(METER, 0, held))

    def _on_read(self, name: str, read: Read) -> None:
        now_s = self.clock.now_s()
        if now_s > read.until_s:
            return
        newest: SiteSample | None = self._sites[name].intake.sample(now_s)
        shown = self._picture.sites.get(name) if isinstance(self._config.meter, SumMeterConfig) else newest
        if shown is None:
            why = why_left_out(newest, now_s, self._max_age_s)
            self._site.tell(Report(name, read.cycle, fault=SILENT, why=why))
        else:
            self._site.tell(Report(name, read.cycle, shown.inverter))

    def _repeat(self) -> None:
        now_s = self.clock.now_s()
        for site in self._sites.values():
            again = site.outbox.due(now_s) if site.outbox.waits and site.connection.is_connected else None
            if again is not None:
                self._send(site, again)
        self.later(REPEAT_INTERVAL_S, _Repeat())

    def _send(self, site: _Site, payload: bytes) -> None:
        site.connection.publish(site.config.topic_of_commands, payload, qos=0, retain=False)


def _reader(name: str) -> Any:
    return lambda arrival: read_site(arrival, name)


def _in_words(answer: Answer) -> str:
    return "; ".join(f"{each.field} {each.taken} for {each.asked} ({each.bound})" for each in answer.clipped)
