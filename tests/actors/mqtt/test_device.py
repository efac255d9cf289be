"""The actors of MQTT devices against a real Mosquitto: what they tell the site, and what they publish."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from actors.actor import Actor, Surroundings
from actors.clock import RealClock
from actors.commands.release import release_site
from actors.messages import Acknowledged, Command, Event, Read, Release, Report
from actors.mqtt.device import MqttInverterActor, MqttMeterActor
from actors.observer import NoObserver
from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.sections import MqttInverterConfig, MqttMeterConfig, SiteConfig
from orchestrator.reason import because
from orchestrator.samples import InverterSample, MeterSample
from tests.support.inboxes import Inbox
from tests.support.servers.brokers import Mosquitto, MqttClient, mosquitto, mqtt_client
from tests.support.servers.required import wait_until

TOPIC, COMMANDS = "site/device", "site/device/command"
STATE = {"ac_watts": 1500, "battery": {"watts": 500, "soc_percent": 50, "charge_max_watts": 4000}}


class Counter(NoObserver):
    def __init__(self) -> None:
        self.requests: list[tuple[str, str | None]] = []

    def request_done(self, device: str, seconds: float, error: str | None) -> None:
        self.requests.append((device, error))


@dataclass
class Running:
    """A device actor, what it told the site, and a client at its broker."""

    ref: Any
    client: MqttClient
    clock: RealClock
    site: Inbox = field(default_factory=Inbox)
    observer: Counter = field(default_factory=Counter)

    def publish(self, state: object, *, retain: bool = False) -> None:
        payload = state if isinstance(state, bytes) else json.dumps(state).encode()
        self.client.publish(TOPIC, payload, retain=retain)

    def samples(self, kind: type) -> list[Any]:
        return [report.sample for report in self.site.of(Report) if isinstance(report.sample, kind)]

    def read(self, cycle: int = 1) -> Report:
        """Ask for a report, and return it."""
        count = len(self.site.of(Report))
        self.ref.tell(Read(cycle, self.clock.now_s() + 60))
        return self.site.wait_for(Report, count + 1)

    def command(self, **values: Any) -> Acknowledged:
        """Give a command, and return its acknowledgement."""
        count = len(self.site.of(Acknowledged))
        command = InverterCommand("garage", **({"valid_for_s": 60.0} | values))
        self.ref.tell(Command(command, self.clock.now_s()))
        return self.site.wait_for(Acknowledged, count + 1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as running:
        yield running


@contextlib.contextmanager
def started(broker: Mosquitto, kind: type[Actor], **settings: Any) -> Iterator[Running]:
    clock, site, observer = RealClock(), Inbox(), Counter()
    with mqtt_client(broker.host, broker.port) as client:
        client.subscribe(COMMANDS)
        ref = kind.start(Surroundings(clock, observer, Inbox()), site=site, **settings)
        try:
            yield Running(ref, client, clock, site, observer)
        finally:
            ref.stop()
            client.publish(TOPIC, b"", retain=True)
            clock.close()


@contextlib.contextmanager
def meter(broker: Mosquitto, max_age_s: float = 5.0) -> Iterator[Running]:
    at = {"driver": "mqtt", "host": broker.host, "port": broker.port}
    config = MqttMeterConfig.model_validate({**at, "topic": TOPIC, "max_age_s": max_age_s})
    with started(broker, MqttMeterActor, config=config, silent_after_s=0.3, report_interval_s=0.1) as running:
        wait_until(lambda: _listens(running, {"site_watts": 1.0}, MeterSample), "the meter's subscription")
        yield running


@contextlib.contextmanager
def inverter(broker: Mosquitto, **values: Any) -> Iterator[Running]:
    at = {"driver": "mqtt", "host": broker.host, "port": broker.port, "name": "garage"}
    config = MqttInverterConfig.model_validate({**at, "topic": TOPIC, **values})
    with started(broker, MqttInverterActor, config=config, sample_window_s=5.0) as running:
        wait_until(lambda: _listens(running, STATE, None), "the inverter's subscription")
        yield running


def _listens(running: Running, state: object, kind: type | None) -> bool:
    """Publish until it has arrived: nobody says when the actor has subscribed."""
    running.publish(state)
    return bool(running.samples(kind)) if kind else ("garage", None) in running.observer.requests


def test_a_meter_tells_each_new_value_at_once(broker: Mosquitto) -> None:
    with meter(broker) as running:
        running.publish({"site_watts": -700.0})

        wait_until(lambda: running.samples(MeterSample)[-1].site_watts == -700.0, "the new value")


def test_a_meter_goes_on_telling_what_holds_and_says_when_it_is_silent(broker: Mosquitto) -> None:
    with meter(broker, max_age_s=3.0) as running:
        first = running.samples(MeterSample)[-1]
        wait_until(lambda: running.samples(MeterSample)[-1].at_s > first.at_s, "the same value, younger")

        wait_until(lambda: running.site.of(Report)[-1].fault == "timeout", "silence")
        assert running.site.of(Report)[-1].why == because("state_too_old", topic=TOPIC)


def test_a_refused_message_is_counted_and_said_once(broker: Mosquitto) -> None:
    with meter(broker) as running:
        for _ in range(3):
            running.publish(b"nonsense")
        wait_until(lambda: running.observer.requests.count(("meter", "nonsense")) == 3, "three refusals")

        assert [event.name for event in running.site.of(Event)] == ["state_refused"]
        assert running.samples(MeterSample)[-1].site_watts == 1.0


def test_a_retained_state_without_a_time_is_not_believed(broker: Mosquitto) -> None:
    with mqtt_client(broker.host, broker.port) as client:
        client.publish(TOPIC, json.dumps({"site_watts": 12345.0}), retain=True)
    with meter(broker) as running:
        wait_until(lambda: running.site.of(Event), "the refusal")

        assert "nobody knows how old it is" in running.site.of(Event)[0].detail
        assert {sample.site_watts for sample in running.samples(MeterSample)} == {1.0}


def test_an_inverter_reports_its_state_when_it_is_read(broker: Mosquitto) -> None:
    with inverter(broker) as running:
        report = running.read(cycle=7)

    assert report.cycle == 7
    assert isinstance(report.sample, InverterSample)
    assert report.sample.battery is not None
    assert report.sample.ac_watts == 1500


def test_an_inverter_whose_state_is_too_old_is_silent(broker: Mosquitto) -> None:
    with inverter(broker, max_age_s=0.2) as running:
        wait_until(lambda: running.read().fault == "timeout", "silence")


def test_a_command_is_published_once_and_again_when_it_changes(broker: Mosquitto) -> None:
    with inverter(broker) as running:
        assert running.command(ac_limit_watts=1000.0).writes == 1
        assert running.command(ac_limit_watts=1000.0, reasons=(because("throttled"),)).writes == 0
        assert running.command(ac_limit_watts=900.0).writes == 1

        running.client.wait_for(COMMANDS, 2)
        messages = running.client.on(COMMANDS)
        assert [message.json()["ac_limit_watts"] for message in messages] == [1000, 900]
        assert not any(message.retained for message in messages)


def test_a_command_is_renewed_before_half_of_its_validity(broker: Mosquitto) -> None:
    with inverter(broker) as running:
        running.command(ac_limit_watts=1000.0, valid_for_s=10.0)
        began_s = running.clock.now_s()
        wait_until(lambda: running.command(ac_limit_watts=1000.0, valid_for_s=10.0).writes == 1, "the renewal")

        assert 2.0 < running.clock.now_s() - began_s < 5.0


def test_commands_go_where_they_are_wanted(broker: Mosquitto) -> None:
    with inverter(broker, command_topic="other/topic") as running:
        running.client.subscribe("other/topic")
        running.command(ac_limit_watts=1000.0)

        assert running.client.wait_for("other/topic").json()["ac_limit_watts"] == 1000


def test_without_a_broker_a_command_is_not_done(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker, inverter(broker) as running:
        broker.stop()
        wait_until(lambda: running.command(ac_limit_watts=1.0).fault == "connection", "the loss of the broker")
        broker.start()
        wait_until(lambda: running.command(ac_limit_watts=1.0).writes == 1, "the command at the new broker")


def test_a_command_that_waited_too_long_is_dropped_and_a_release_is_not(broker: Mosquitto) -> None:
    battery = BatteryCommand.release()
    with inverter(broker) as running:
        long_ago_s = running.clock.now_s() - 100.0
        running.ref.tell(Command(InverterCommand("garage", 60.0, ac_limit_watts=1.0), long_ago_s))
        assert running.site.wait_for(Acknowledged).fault == "stale"

        running.ref.tell(Release(InverterCommand("garage", 60.0, battery=battery), long_ago_s))
        released = running.site.wait_for(Acknowledged, 2)
        assert (released.released, released.fault) == (True, None)
        assert running.client.wait_for(COMMANDS).json()["battery_mode"] == BatteryMode.RELEASE


def test_orchestrator_release_tells_an_inverter_by_mqtt(broker: Mosquitto, tmp_path: Path) -> None:
    at = {"driver": "mqtt", "host": broker.host, "port": broker.port}
    config = SiteConfig.model_validate(
        {
            "site": {"name": "home"},
            "meter": {**at, "topic": "site/meter"},
            "inverters": (
                {**at, "name": "garage", "topic": TOPIC},
                {**at, "name": "shed", "topic": "s", "control": False},
            ),
            "control": {"state_dir": str(tmp_path)},
        }
    )
    with mqtt_client(broker.host, broker.port) as client:
        client.subscribe(COMMANDS)
        outcomes = [str(outcome) for outcome in release_site(config)]
        message = client.wait_for(COMMANDS)

    assert outcomes == [f"garage: told to release on {COMMANDS}", "shed: left alone (control: false)"]
    assert (message.json()["battery_mode"], message.json()["ac_limit_watts"]) == ("release", None)
