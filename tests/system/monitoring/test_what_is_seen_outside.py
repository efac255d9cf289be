"""What others see of the running plant: subscribers to its topics, and devices that count what is asked of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from orchestrator.config.sections import InverterConfig, MeterConfig
from orchestrator.simulation.devices.sunspec.register_map import WriteRecord
from tests.support.plants.running_plant import NAMES, TOPIC, RunningPlant, about, above, running_plant
from tests.support.plants.shared import Shared, shared
from tests.support.servers.brokers import mqtt_client
from tests.support.servers.required import PATIENCE_S, require_server

SOME_SUN = {"east": 2000.0, "west": 1000.0, "roof": 5000.0}
REFRESH_LEAST_S = 20.0
"""Nothing that stays the same is written more often; the revert time of the example site is 60 s."""
TOGETHER_S = 0.4
"""What is written for one command comes within this time, and the next command comes later."""


@pytest.fixture(scope="module")
def shared_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared[RunningPlant]]:
    with shared(lambda: running_plant(tmp_path_factory.mktemp("plant"))) as plant:
        yield plant


@pytest.fixture
def plant(shared_plant: Shared[RunningPlant], request: pytest.FixtureRequest) -> Iterator[RunningPlant]:
    """The plant at noon, to be left without a setpoint."""
    with shared_plant.lent_to(request) as plant:
        plant.set(pv_watts=SOME_SUN, load_watts=1000.0, soc_percent={"east": 50.0, "west": 50.0})
        plant.see({"import": about(0, 120), "charging": above(6000)}, for_s=2.0)
        yield plant
        plant.forget_setpoints()


@dataclass(frozen=True)
class Seen:
    """A message as mosquitto_sub prints it."""

    topic: str
    retained: bool
    payload: str

    def json(self) -> dict[str, Any]:
        """The payload, which must be a JSON object as the standard has it."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        message = json.loads(self.payload, parse_constant=refuse)
        assert isinstance(message, dict)
        return message


def subscribe(plant: RunningPlant, topic: str, count: int) -> list[Seen]:
    """The first `count` messages that a new subscriber gets."""
    to = ["-h", plant.broker.host, "-p", str(plant.broker.port), "-t", topic, "-C", str(count), "-F", "%t\t%r\t%p"]
    command = [require_server("mosquitto_sub"), *to]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE_S)
    return [Seen(topic, r == "1", text) for topic, r, text in (line.split("\t", 2) for line in run.stdout.splitlines())]


def test_a_new_subscriber_finds_the_state_retained_as_json_and_it_goes_on(plant: RunningPlant) -> None:
    plant.set(load_watts=2000.0)
    state = {f"{TOPIC}/{name}" for name in ("site", "limits", *(f"inverters/{each}" for each in NAMES))}
    messages = subscribe(plant, f"{TOPIC}/#", 1 + 4 * len(state))

    found = {each.topic: each for each in messages if each.retained}
    assert set(found) == state | {f"{TOPIC}/status"}
    assert found[f"{TOPIC}/status"].payload == "online"
    for topic in state:
        assert found[topic].json()["time"]
    assert {each.topic for each in messages if not each.retained} >= {f"{TOPIC}/site", f"{TOPIC}/inverters/east"}


def test_the_published_state_is_that_of_the_plant(plant: RunningPlant) -> None:
    with mqtt_client(plant.broker.host, plant.broker.port) as client:
        client.subscribe(f"{TOPIC}/#")

        def published() -> dict[str, float]:
            """The newest powers by the names that `look` has for them."""
            site = client.wait_for(f"{TOPIC}/site").json()
            inverters = {name: client.wait_for(f"{TOPIC}/inverters/{name}").json() for name in NAMES}
            powers = {f"{name} ac": each["ac_watts"] for name, each in inverters.items()}
            return powers | {"charging": site["battery_watts"]}

        # What is published was measured a moment ago, and the batteries may still have been on their way then.
        plant.see(lambda: {name: about(watts, 100) for name, watts in published().items()})
        site = client.wait_for(f"{TOPIC}/site").json()
        assert site["mode"] == "normal"
        assert site["load_watts"] == pytest.approx(1000, abs=100)
        assert site["inverters_online"] == list(NAMES)
        assert all(client.wait_for(f"{TOPIC}/inverters/{name}").json()["online"] is True for name in NAMES)
        limits = client.wait_for(f"{TOPIC}/limits").json()
        assert limits["export_limit_watts"] == {"value": 5000.0, "source": "fixed", "valid_until": None}


def test_a_message_that_is_no_setpoint_is_refused_with_its_reason_and_changes_nothing(plant: RunningPlant) -> None:
    plant.setpoint.publish({"batteryChargeMaxWatts": 2000})
    plant.see({"charging": about(2000, 60)}, for_s=2.0)
    with mqtt_client(plant.broker.host, plant.broker.port) as client:
        client.subscribe(f"{TOPIC}/rejected")
        plant.setpoint.publish({"batteryChargeMaxWats": 0})
        refusal = client.wait_for(f"{TOPIC}/rejected")

    assert not refusal.retained
    assert refusal.json()["source"] == "mqtt"
    assert 'did you mean "batteryChargeMaxWatts"' in refusal.json()["reason"]
    plant.stays({"charging": about(2000, 150)}, 1.5)


def test_pysunspec2_scans_and_reads_every_device_while_the_plant_runs(plant: RunningPlant) -> None:
    devices: list[MeterConfig | InverterConfig] = [plant.config.meter, *plant.config.inverters]
    for device in devices:
        client = SunSpecModbusClientDeviceTCP(
            slave_id=device.unit_id, ipaddr=device.host, ipport=device.port, timeout=60
        )
        try:
            client.scan()
            models = {number: found[0] for number, found in client.models.items() if isinstance(number, int)}
            for model in models.values():
                model.read()
        finally:
            client.close()
        if isinstance(device, MeterConfig):
            assert set(models) == {1, 203}
            assert models[203].W.cvalue == pytest.approx(plant.look()["import"], abs=120)
        else:
            assert set(models) == {1, 103, 120, 121, 122, 123, 160} | ({124} if device.name != "roof" else set())
            assert models[103].W.cvalue == pytest.approx(plant.look()[f"{device.name} ac"], abs=120)


LOOKS_EVERY_S = 3.5
"""At the latest so often a device is asked whether what it was told is in force."""
MOST_WRITES = 12


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("payload", [{}, {"opModExpLimW": 0, "batteryChargeMaxWatts": 2000}], ids=["free", "limited"])
def test_in_steady_state_devices_see_two_reads_a_cycle_a_look_now_and_then_and_no_write_but_changes_and_refreshes(
    plant: RunningPlant, payload: dict[str, object]
) -> None:
    plant.setpoint.publish(payload)
    plant.see({"import": about(0, 120)}, for_s=20.0)

    cycles, before = len(plant.results), {name: plant.requests(name) for name in NAMES}
    steady_from_s = plant.site.call(lambda site: site.now_s)
    plant.stays({"import": about(0, 120)}, 70.0)
    cycles = len(plant.results) - cycles
    for name in NAMES:
        reads, writes = plant.requests(name)
        looks = (
            70.0 / LOOKS_EVERY_S + MOST_WRITES
        )  # whether what was written is still there, and each time it is written
        assert reads - before[name][0] <= 2 * (cycles + 1) + looks
        assert writes - before[name][1] <= MOST_WRITES
        for model in ("123", "124"):
            of_steady_state = [each for each in needless(writes_of(plant, name, model)) if each.at_s >= steady_from_s]
            assert of_steady_state == [], f"{name} {model}"


def writes_of(plant: RunningPlant, name: str, model: str) -> list[WriteRecord]:
    """Every write of one model that a device has taken."""
    writes = plant.site.call(lambda site: list(site.devices[name].writes))
    return [write for write in writes if write.registers[0].startswith(f"{model}.")]


def needless(writes: list[WriteRecord]) -> list[WriteRecord]:
    """Writes that change nothing and refresh too soon. What is written together is judged together."""
    found, shown, rounds = [], dict[int, int](), _rounds(writes)
    for former, together in zip([None, *rounds], rounds, strict=False):
        words = {each.address + i: word for each in together for i, word in enumerate(each.words)}
        soon = former is not None and together[0].at_s - former[0].at_s < REFRESH_LEAST_S
        if soon and words == {address: shown.get(address) for address in words}:
            found += together
        shown |= words
    return found


def _rounds(writes: list[WriteRecord]) -> list[list[WriteRecord]]:
    rounds: list[list[WriteRecord]] = []
    for write in writes:
        if rounds and write.at_s - rounds[-1][0].at_s < TOGETHER_S:
            rounds[-1].append(write)
        else:
            rounds.append([write])
    return rounds
