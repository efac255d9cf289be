"""A changed mqtt or metrics section under a running plant: these actors are replaced, the control goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.config.sections import SiteConfig
from tests.support.plants.running_plant import TOPIC, RunningPlant, running_plant
from tests.support.servers.brokers import MqttClient, mqtt_client
from tests.support.servers.required import wait_until


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[RunningPlant]:
    with running_plant(tmp_path) as plant:
        wait_until(lambda: plant.results and plant.results[-1].mode == "normal", "normal operation")
        yield plant


@pytest.fixture
def client(plant: RunningPlant) -> Iterator[MqttClient]:
    with mqtt_client(plant.broker.host, plant.broker.port) as client:
        client.subscribe("#")
        yield client


def with_topics(config: SiteConfig, setpoints: str, publish: str) -> SiteConfig:
    sections = config.model_dump()
    sections["setpoints"]["mqtt"][0]["topic"] = setpoints
    sections["publish"]["mqtt"]["topic"] = publish
    return SiteConfig.model_validate(sections)


def test_another_topic_is_published_on_and_the_former_says_offline(plant: RunningPlant, client: MqttClient) -> None:
    client.wait_for_payload(f"{TOPIC}/status", b"online")
    first = len(plant.results)
    plant.system.reload(with_topics(plant.config, "elsewhere/setpoints", "elsewhere"))

    client.wait_for_payload("elsewhere/status", b"online")
    client.wait_for_payload(f"{TOPIC}/status", b"offline")
    client.wait_for("elsewhere/limits")
    assert all(result.mode == "normal" for result in plant.results[first:])


def test_a_setpoint_of_a_topic_that_is_left_does_not_hold_on(plant: RunningPlant) -> None:
    plant.setpoint.publish({"opModExpLimW": 1})
    wait_until(lambda: plant.results[-1].envelope.fields.export_limit_watts == 1.0, "the limit")
    plant.system.reload(with_topics(plant.config, "elsewhere/setpoints", TOPIC))

    wait_until(lambda: plant.results[-1].envelope.fields.export_limit_watts == 5000.0, "the fixed limit")


def test_a_setpoint_holds_through_a_reload_that_does_not_concern_it(plant: RunningPlant) -> None:
    plant.setpoint.publish({"opModExpLimW": 1})
    wait_until(lambda: plant.results[-1].envelope.fields.export_limit_watts == 1.0, "the limit")
    first = len(plant.results)
    control = plant.config.control.model_copy(update={"revert_s": 90})
    plant.system.reload(plant.config.model_copy(update={"control": control}))
    wait_until(lambda: len(plant.results) > first + 3, "more cycles")

    assert {result.envelope.fields.export_limit_watts for result in plant.results[first:]} == {1.0}


def test_what_was_published_of_an_inverter_goes_with_it(plant: RunningPlant, client: MqttClient) -> None:
    client.wait_for(f"{TOPIC}/inverters/roof")
    inverters = tuple(each for each in plant.config.inverters if each.name != "roof")
    plant.system.reload(plant.config.model_copy(update={"inverters": inverters}))

    client.wait_for_payload(f"{TOPIC}/inverters/roof", b"")
    with mqtt_client(plant.broker.host, plant.broker.port) as late:
        late.subscribe(f"{TOPIC}/#")
        late.wait_for(f"{TOPIC}/inverters/east")
        assert late.on(f"{TOPIC}/inverters/roof") == []


def test_mqtt_comes_and_goes(plant: RunningPlant, client: MqttClient) -> None:
    without = plant.config.model_dump()
    without["setpoints"]["mqtt"], without["publish"]["mqtt"] = [], None
    plant.system.reload(SiteConfig.model_validate(without))
    client.wait_for_payload(f"{TOPIC}/status", b"offline")

    plant.system.reload(plant.config)
    client.wait_for_payload(f"{TOPIC}/status", b"online")
