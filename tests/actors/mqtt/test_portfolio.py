"""A site of a portfolio against a real Mosquitto: it speaks as one, takes commands and answers them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from actors.messages import SetpointReceived
from orchestrator.config.audience import PORTFOLIO
from orchestrator.config.sections import SiteConfig
from orchestrator.documents.json_values import rfc3339
from orchestrator.setpoints.merge import merge
from tests.actors.mqtt.test_actor import PUBLISH, online, running
from tests.support.records.cycles import cycle_result, site_config
from tests.support.servers.brokers import Mosquitto, MqttClient, mosquitto, mqtt_client
from tests.support.servers.required import wait_until

COMMANDS, ANSWERS, STATE = (f"{PUBLISH}/aggregate{below}" for below in ("/command", "/answer", ""))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as started:
        yield started


@pytest.fixture
def client(broker: Mosquitto) -> Iterator[MqttClient]:
    with mqtt_client(broker.host, broker.port) as connected:
        connected.subscribe(ANSWERS)
        connected.subscribe(STATE)
        yield connected


def config_for(broker: Mosquitto) -> SiteConfig:
    mqtt = {"host": broker.host, "port": broker.port, "topic": PUBLISH, "portfolio": {}}
    return site_config(publish={"mqtt": mqtt})


def command(sequence: int, **asked: Any) -> bytes:
    now = datetime.now(UTC)
    until = now + timedelta(seconds=60)
    times = {"time": rfc3339(now), "valid_for_s": 60.0, "valid_until": rfc3339(until)}
    return json.dumps({"sequence": sequence, **times, **asked}).encode()


def answers(client: MqttClient) -> list[tuple[str, int]]:
    said = [json.loads(each.payload) for each in client.on(ANSWERS)]
    return [(each["answer"], each["sequence"]) for each in said]


def test_a_command_is_told_to_the_site_and_answered_with_its_decision(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    with running(config_for(broker), tmp_path) as plant:
        online(client)
        client.publish(COMMANDS, command(5, ac_limit_watts=1000))
        told = plant.site.wait_for(SetpointReceived)
        assert told.setpoint.source == PORTFOLIO

        plant.ref.tell(replace(cycle_result(at_s=1e12), envelope=merge((told.setpoint,))))
        wait_until(lambda: answers(client) == [("accepted", 5)], "the answer")
        client.publish(COMMANDS, command(4, ac_limit_watts=9000))
        wait_until(lambda: answers(client)[1:] == [("refused", 4)], "the refusal")
        assert plant.observer.refused == [PORTFOLIO]
        said = client.on(STATE)[0]
        assert json.loads(said.payload)["ac_watts"] == 2000
        assert not said.retained

    with running(config_for(broker), tmp_path):  # what it took outlives a restart
        online(client)
        client.publish(COMMANDS, command(3))
        wait_until(lambda: answers(client)[2:] == [("refused", 3)], "the refusal after the restart")
