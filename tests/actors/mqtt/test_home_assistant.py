"""What the MQTT actor does for Home Assistant, against a real Mosquitto."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actors.actor import Surroundings
from actors.clock import RealClock
from actors.files.home_assistant_store import FILE_NAME, HomeAssistantStore
from actors.files.setpoint_store import SetpointStore
from actors.messages import InverterRemoved, SetpointReceived, SetpointWithdrawn
from actors.mqtt.actor import MqttActor
from actors.observer import NoObserver
from orchestrator.config.sections import SiteConfig
from tests.support.inboxes import Inbox
from tests.support.records.cycles import cycle_result, inverter_sample, site_config
from tests.support.servers.brokers import Mosquitto, MqttClient, mosquitto, mqtt_client
from tests.support.servers.required import wait_until

BASE = "site/home"
NODE = "orchestrator_site_home"
GRID = f"homeassistant/sensor/{NODE}/grid_power/config"
EAST = f"homeassistant/sensor/{NODE}/inverter_east_ac_power/config"
EAST_SOC = f"homeassistant/sensor/{NODE}/inverter_east_battery_soc/config"
WEST = f"homeassistant/sensor/{NODE}/inverter_west_ac_power/config"
ENTERED = f"{BASE}/home_assistant"


@dataclass
class Served:
    """A running MqttActor with its files, and what it told the site."""

    ref: Any
    site: Inbox


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as server:
        yield server


@pytest.fixture
def client(broker: Mosquitto) -> Iterator[MqttClient]:
    with mqtt_client(broker.host, broker.port) as client:
        client.subscribe("#")
        yield client


def config_for(broker: Mosquitto, *, served: bool = True, names: tuple[str, ...] = ("east", "west")) -> SiteConfig:
    more: dict[str, Any] = {"home_assistant": {}} if served else {}
    return site_config(
        publish={"mqtt": {"host": broker.host, "port": broker.port, "topic": BASE, **more}},
        inverters=tuple({"name": name, "host": "127.0.0.1", "unit_id": unit} for unit, name in enumerate(names, 1)),
    )


@contextlib.contextmanager
def running(config: SiteConfig, folder: Path) -> Iterator[Served]:
    clock, site = RealClock(), Inbox()
    store, home_assistant = SetpointStore(folder), HomeAssistantStore(folder)
    ref = MqttActor.start(Surroundings(clock, NoObserver(), Inbox()), config, site, store, home_assistant)
    try:
        yield Served(ref, site)
    finally:
        ref.stop()
        store.close()
        home_assistant.close()
        clock.close()


def retained(client: MqttClient, topic: str) -> bytes | None:
    """The newest message on a topic; None where there is none, or one without content."""
    return next((message.payload for message in reversed(client.on(topic))), b"") or None


def number_of_ours(client: MqttClient) -> int:
    """How many descriptions lie at the broker."""
    topics = {message.topic for message in client.received if message.topic.startswith("homeassistant/")}
    return len([topic for topic in topics if retained(client, topic)])


def test_entities_are_described_and_batteries_once_they_are_seen(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    with running(config_for(broker), tmp_path) as plant:
        wait_until(lambda: retained(client, GRID) and retained(client, WEST), "the descriptions")
        assert retained(client, EAST_SOC) is None

        plant.ref.tell(cycle_result())

        wait_until(lambda: retained(client, EAST_SOC), "the battery")
        assert json.loads(retained(client, GRID) or b"")["state_topic"] == f"{BASE}/site"


def test_nothing_is_described_where_nobody_wants_it(broker: Mosquitto, client: MqttClient, tmp_path: Path) -> None:
    with running(config_for(broker, served=False), tmp_path) as plant:
        client.wait_for_payload(f"{BASE}/status", b"online")
        plant.ref.tell(cycle_result())
        client.wait_for(f"{BASE}/site")

    assert number_of_ours(client) == 0
    assert client.on(f"{BASE}/energy") == []


def test_an_inverter_that_is_removed_while_the_plant_runs_disappears(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    with running(config_for(broker), tmp_path) as plant:
        plant.ref.tell(cycle_result())
        wait_until(lambda: retained(client, EAST_SOC) and retained(client, WEST), "the descriptions")

        plant.ref.tell(InverterRemoved("east"))

        wait_until(lambda: retained(client, EAST) is None and retained(client, EAST_SOC) is None, "no east")
        assert retained(client, WEST)


def test_what_left_site_yaml_before_a_restart_disappears_after_it(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    with running(config_for(broker), tmp_path):
        wait_until(lambda: retained(client, EAST), "the descriptions")

    with running(config_for(broker, names=("west",)), tmp_path):
        wait_until(lambda: retained(client, EAST) is None, "no east")
        assert retained(client, WEST)

    with running(config_for(broker, served=False), tmp_path):
        wait_until(lambda: number_of_ours(client) == 0, "nothing of ours")


def test_a_battery_is_known_after_a_restart_before_it_answers(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    with running(config_for(broker), tmp_path) as plant:
        plant.ref.tell(cycle_result())
        wait_until(lambda: retained(client, EAST_SOC), "the battery")
    seen = len(client.on(EAST_SOC))

    with running(config_for(broker), tmp_path):
        message = client.wait_for(EAST_SOC, seen + 1)

    assert message.payload


def test_twenty_inverters_are_described_completely(broker: Mosquitto, client: MqttClient, tmp_path: Path) -> None:
    names = tuple(f"inv{number}" for number in range(20))
    samples = tuple(inverter_sample(name) for name in names)
    with running(config_for(broker, names=names), tmp_path) as plant:
        plant.ref.tell(cycle_result(inverters=samples))
        wait_until(lambda: number_of_ours(client) > 20 * 11, "every description")


def test_energy_is_published_and_goes_on_after_a_restart(broker: Mosquitto, client: MqttClient, tmp_path: Path) -> None:
    with running(config_for(broker), tmp_path) as plant:
        client.wait_for_payload(f"{BASE}/status", b"online")
        for at_s in (100.0, 110.0):
            plant.ref.tell(cycle_result(at_s=at_s))
        client.wait_for(f"{BASE}/site")
    kept_wh = json.loads((tmp_path / FILE_NAME).read_text())["energy_wh"]["pv"]
    assert kept_wh > 8
    seen = len(client.on(f"{BASE}/energy"))

    with running(config_for(broker), tmp_path) as plant:
        wait_until(lambda: retained(client, GRID), "a connection")
        plant.ref.tell(cycle_result(at_s=500.0))
        payload = client.wait_for(f"{BASE}/energy", seen + 1).json()

    assert payload["pv_wh"] == int(kept_wh)
    assert payload["inverters"]["east"]["charge_wh"] == int(1000 * 10 / 3600)


def test_what_is_entered_becomes_a_setpoint_of_its_own_source_and_is_shown(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    with running(config_for(broker), tmp_path) as plant:
        client.wait_for(ENTERED)
        client.publish(f"{ENTERED}/set/export_limit_watts", "1500")
        client.publish(f"{ENTERED}/set/battery_priority_mode", "export first")

        wait_until(lambda: (retained(client, ENTERED) or b"").find(b"export first") > 0, "what was entered")
        wait_until(lambda: len(plant.site.of(SetpointReceived)) >= 2, "the setpoints")
        setpoint = plant.site.of(SetpointReceived)[-1].setpoint

    assert (setpoint.source, setpoint.fields.export_limit_watts) == ("home_assistant", 1500.0)
    assert setpoint.fields.battery_priority_mode == "export_first"
    shown = json.loads(retained(client, ENTERED) or b"")
    assert (shown["export_limit_watts"], shown["import_limit_watts"]) == (1500.0, None)


def test_what_is_entered_holds_after_a_restart_until_it_is_cleared(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    with running(config_for(broker), tmp_path) as plant:
        client.wait_for(ENTERED)
        client.publish(f"{ENTERED}/set/export_limit_watts", "1500")
        wait_until(lambda: plant.site.of(SetpointReceived), "the setpoint")

    with running(config_for(broker), tmp_path) as plant:
        wait_until(lambda: plant.site.of(SetpointReceived), "the setpoint of before")
        client.wait_for_payload(f"{BASE}/status", b"online")
        client.publish(f"{ENTERED}/set/export_limit_watts", "not set")
        wait_until(lambda: plant.site.of(SetpointWithdrawn), "nothing that is asked for")


def test_what_cannot_be_is_refused_and_what_holds_is_shown_again(
    broker: Mosquitto, client: MqttClient, tmp_path: Path
) -> None:
    with running(config_for(broker), tmp_path):
        client.wait_for(ENTERED)
        shown = len(client.on(ENTERED))
        client.publish(f"{ENTERED}/set/export_limit_watts", "-5")

        refused = client.wait_for(f"{BASE}/rejected").json()
        client.wait_for(ENTERED, shown + 1)

    assert refused["source"] == "home_assistant"
    assert "export_limit_watts" in refused["reason"]
