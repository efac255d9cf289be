"""A plant whose meter and one inverter come by MQTT, beside others by Modbus: the loop does not know the difference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from actors.messages import Event
from actors.system import DRIVERS
from orchestrator.simulation.server import serve
from tests.support.plants.running_plant import Eyes, RunningPlant, about, above, below, example_config
from tests.support.plants.shared import Shared, shared
from tests.support.servers.brokers import mosquitto
from tests.support.servers.mqtt_bridge import Bridge, bridge, by_mqtt
from tests.support.servers.required import free_port, wait_until

SUN = {"east": 3000.0, "west": 2000.0, "roof": 5000.0}
HALF_FULL = {"east": 50.0, "west": 50.0}
NO_EXPORT = below(150)
MAX_AGE_S = 2.0


@dataclass
class MqttPlant:
    """The plant, and what stands between it and its MQTT devices."""

    plant: RunningPlant
    bridge: Bridge


@contextmanager
def mqtt_plant(folder: Path) -> Iterator[MqttPlant]:
    with mosquitto(folder) as broker:
        config = example_config(folder / "state", broker=broker, fixed={"export_limit_watts": 0.0})
        with serve(config, new_port=free_port) as site, bridge(site, broker, "west") as bridged:
            Eyes(site).set(pv_watts=SUN, load_watts=1000.0, soc_percent=HALF_FULL)
            plant = RunningPlant(site, broker, by_mqtt(site.config, broker, "west", max_age_s=MAX_AGE_S), DRIVERS)
            try:
                yield MqttPlant(plant, bridged)
            finally:
                plant.stop()


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared[MqttPlant]]:
    with shared(lambda: mqtt_plant(tmp_path_factory.mktemp("mqtt-devices"))) as site:
        yield site


@pytest.fixture
def site(shared_site: Shared[MqttPlant], request: pytest.FixtureRequest) -> Iterator[MqttPlant]:
    """The plant in balance, with every device there."""
    with shared_site.lent_to(request) as site:
        bring_into_balance(site)
        yield site


def bring_into_balance(site: MqttPlant) -> None:
    site.bridge.publishes_meter, site.bridge.nonsense = True, None
    site.bridge.publishing = {"west"}
    site.plant.set(pv_watts=SUN, load_watts=1000.0, soc_percent=HALF_FULL)
    site.plant.see({"import": about(0, 150), "charging": above(5000)})


def mode(site: MqttPlant) -> str:
    return site.plant.results[-1].mode


def test_an_export_limit_of_0_is_held_and_all_batteries_are_charged(site: MqttPlant) -> None:
    site.plant.see({"export": NO_EXPORT, "east charging": above(1500), "west charging": above(1000)})

    site.plant.set(load_watts=200.0)
    site.plant.see({"export": NO_EXPORT}, for_s=2.0)


def test_an_ac_limit_reaches_an_inverter_by_mqtt(site: MqttPlant) -> None:
    site.plant.set(soc_percent={"east": 100.0, "west": 100.0}, pv_watts={"west": 4000.0}, load_watts=500.0)

    site.plant.see({"export": NO_EXPORT, "generation": about(500, 150)}, for_s=1.0)
    assert site.bridge.commands("west")[-1]["ac_limit_watts"] < 3000


def test_commands_are_sent_when_they_change_and_renewed_before_they_expire(site: MqttPlant) -> None:
    commands, cycles = len(site.bridge.commands("west")), len(site.plant.results)

    def were_sent_seldom() -> bool:
        return len(site.bridge.commands("west")) - commands < len(site.plant.results) - cycles

    wait_until(were_sent_seldom, "a cycle without a command")
    assert {command["valid_for_s"] for command in site.bridge.commands("west")} == {60}


def test_a_silent_meter_is_the_failsafe_until_it_speaks_again(site: MqttPlant) -> None:
    site.bridge.publishes_meter = False
    wait_until(lambda: mode(site) == "failsafe", "the failsafe")
    site.plant.see({"export": NO_EXPORT})

    site.bridge.publishes_meter = True
    wait_until(lambda: mode(site) == "normal", "control again")


def test_nonsense_is_refused_counted_and_named_and_hides_no_good_message(site: MqttPlant) -> None:
    counted = site.plant.diary.requests.count(("meter", "nonsense"))
    site.bridge.nonsense = b'{"site_watts": "many"}'

    wait_until(lambda: site.plant.diary.requests.count(("meter", "nonsense")) >= counted + 5, "five refusals")
    assert mode(site) == "normal"
    events = [event for event in site.plant.listener.of(Event) if event.name == "state_refused"]
    assert events[-1].subject == "meter"
    assert events[-1].detail.startswith("cannot be read: site_watts: input should be a valid number")


def test_the_last_good_state_ages_while_only_nonsense_comes(site: MqttPlant) -> None:
    site.bridge.nonsense, site.bridge.publishes_meter = b"{", False

    wait_until(lambda: mode(site) == "failsafe", "the failsafe")


def test_a_silent_inverter_is_away_and_the_others_take_its_share(site: MqttPlant) -> None:
    site.bridge.publishing = set()

    wait_until(lambda: site.plant.results[-1].snapshot.away == ("west",), "west away")
    site.plant.see({"export": NO_EXPORT})


def test_a_stop_tells_the_inverter_to_go_back_to_itself(tmp_path: Path) -> None:
    with mqtt_plant(tmp_path) as site:
        bring_into_balance(site)
        site.plant.stop()

        wait_until(lambda: site.bridge.commands("west")[-1]["battery_mode"] == "release", "the release of west")
        assert site.bridge.commands("west")[-1]["ac_limit_after_watts"] is not None
