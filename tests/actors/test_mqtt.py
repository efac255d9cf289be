"""The MQTT actor against a real Mosquitto."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from actors.actor import Surroundings
from actors.clock import RealClock
from actors.messages import Event, SetpointReceived, SetpointRefused, SetpointWithdrawn
from actors.mqtt import MqttActor
from actors.observer import NoObserver
from orchestrator.config import SiteConfig
from orchestrator.setpoints import SetpointFields
from tests.support.brokers import Mosquitto, MqttClient, mosquitto, mqtt_client
from tests.support.cycles import cycle_result, site_config
from tests.support.inboxes import Inbox
from tests.support.servers import wait_until

SETPOINTS = "site/home/setpoints"
PUBLISH = "site/home"


class RefusalCounter(NoObserver):
    def __init__(self) -> None:
        self.refused: list[str] = []

    def setpoint_refused(self, source: str) -> None:
        self.refused.append(source)


@dataclass
class Plant:
    """A running MqttActor, and what it told."""

    ref: Any
    site: Inbox
    observer: RefusalCounter


def config_for(port: int, **entry: Any) -> SiteConfig:
    broker = {"host": "127.0.0.1", "port": port}
    credentials = {key: entry[key] for key in ("username", "password", "tls", "protocol") if key in entry}
    return site_config(
        setpoints={"mqtt": ({**broker, "topic": SETPOINTS, **entry},)},
        publish={"mqtt": {**broker, "topic": PUBLISH, **credentials}},
    )


@contextlib.contextmanager
def running(config: SiteConfig) -> Iterator[Plant]:
    clock, site, observer = RealClock(), Inbox(), RefusalCounter()
    ref = MqttActor.start(Surroundings(clock, observer, Inbox()), config, site)
    try:
        yield Plant(ref, site, observer)
    finally:
        ref.stop()
        clock.close()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as server:
        yield server


@pytest.fixture
def client(broker: Mosquitto) -> Iterator[MqttClient]:
    with mqtt_client(broker.host, broker.port) as client:
        yield client
        client.publish(SETPOINTS, b"", retain=True)
        for topic in {message.topic for message in client.received}:
            client.publish(topic, b"", retain=True)


def test_a_retained_setpoint_is_taken_when_the_plant_starts(broker: Mosquitto, client: MqttClient) -> None:
    client.publish(SETPOINTS, '{"opModExpLimW": 0}', retain=True)

    with running(config_for(broker.port)) as plant:
        setpoint = plant.site.wait_for(SetpointReceived).setpoint

    assert setpoint.source == "mqtt"
    assert setpoint.fields == SetpointFields(export_limit_watts=0.0)
