"""A running plant whose devices are all on one serial line: it is slow, it is noisy, and it is pulled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean

import pytest

from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.explain.words import say
from orchestrator.simulation.network.line import LineTroubles
from orchestrator.simulation.server import serve
from tests.support.plants.running_plant import (
    BUSY_MACHINE_S,
    DRIVERS,
    SETPOINTS,
    RunningPlant,
    about,
    above,
    below,
)
from tests.support.plants.virtual_site import HYBRID
from tests.support.servers.brokers import mosquitto
from tests.support.servers.required import free_port, wait_until

pytestmark = pytest.mark.long

NAMES = ("one", "two", "three", "four", "five")
METER_UNIT = 200
WATCHED_S = 30.0
LEFT_OVER_WATTS = 1000.0
"""How near to nothing the import is kept: what is known of a battery is some seconds old, the meter is not."""
METER_LATE_S = 3.0
"""After so long without the meter a plant is in its failsafe."""


SLOW, QUICK = 9600, 115200


def line_site(folder: Path, broker_port: int, baud_rate: int) -> SiteConfig:
    """Five Sungrow hybrids and the meter: six units."""
    line = {"serial": {"port": str(folder / "line"), "baud_rate": baud_rate}}
    hybrid = HYBRID.model_copy(update={"make": "sungrow-sh"})
    sections = {
        "site": {"name": "slow"},
        "meter": {**line, "unit_id": METER_UNIT},
        "inverters": [
            {"name": name, "driver": "sungrow-sh", **line, "unit_id": unit} for unit, name in enumerate(NAMES, start=1)
        ],
        "control": {"battery_power_flow": True, "state_dir": str(folder / "state")},
        "setpoints": {
            "fixed": {"export_limit_watts": 20000.0},
            "mqtt": {"host": "127.0.0.1", "port": broker_port, "topic": SETPOINTS},
        },
        "metrics": None,
        "simulation": {"inverters": dict.fromkeys(NAMES, hybrid)},
    }
    return SiteConfig.model_validate(sections)


@contextmanager
def plant_on_a_line(folder: Path, baud_rate: int) -> Iterator[RunningPlant]:
    with mosquitto(folder) as broker, serve(line_site(folder, broker.port, baud_rate), new_port=free_port) as site:
        plant = RunningPlant(site, broker, site.config, DRIVERS)
        plant.set(soc_percent=dict.fromkeys(NAMES, 50.0), load_watts=3000.0, pv_watts=dict.fromkeys(NAMES, 2000.0))
        try:
            yield plant
        finally:
            plant.stop()


@pytest.fixture
def plant(tmp_path: Path, baud_rate: int) -> Iterator[RunningPlant]:
    with plant_on_a_line(tmp_path, baud_rate) as plant:
        wait_until(lambda: plant.results and not plant.results[-1].snapshot.away, "all five are there", 120)
        yield plant


def watched(plant: RunningPlant) -> list[CycleResult]:
    """The cycles of the next half minute."""
    before = len(plant.results)
    time.sleep(WATCHED_S)
    return list(plant.results[before:])


def left_over_watts(results: list[CycleResult]) -> float:
    """What flows at the meter in the mean, in either direction; nothing should."""
    return fmean(abs(result.snapshot.meter.site_watts) for result in results if result.snapshot.meter)


def meter_ages_s(results: list[CycleResult]) -> list[float]:
    return [result.snapshot.at_s - result.snapshot.meter.at_s for result in results if result.snapshot.meter]


@pytest.mark.parametrize("baud_rate", [SLOW])
def test_six_units_are_read_steadily_and_the_meter_is_never_late(plant: RunningPlant) -> None:
    plant.see({"import": about(0, LEFT_OVER_WATTS)}, for_s=2.0)
    results = watched(plant)
    if left_over_watts(results) >= LEFT_OVER_WATTS:  # a busy machine keeps both ends of the line waiting for a while
        results = watched(plant)

    assert all(result.snapshot.meter is not None and result.mode == "normal" for result in results)
    assert max(meter_ages_s(results)) < METER_LATE_S
    assert sum(len(result.snapshot.away) for result in results) <= 0.1 * len(NAMES) * len(results)
    assert left_over_watts(results) < LEFT_OVER_WATTS
    read = {name: {sample.at_s for result in results if (sample := result.snapshot.inverter(name))} for name in NAMES}
    assert all(len(times) >= WATCHED_S / 6 for times in read.values()), {n: len(t) for n, t in read.items()}


@pytest.mark.parametrize("baud_rate", [SLOW])
def test_a_limit_that_falls_to_zero_is_obeyed_by_all_of_a_slow_line(plant: RunningPlant) -> None:
    plant.set(pv_watts=dict.fromkeys(NAMES, 5000.0), soc_percent=dict.fromkeys(NAMES, 100.0), load_watts=500.0)
    plant.see({"export": above(15000)})

    plant.setpoint.publish({"opModExpLimW": 0})
    plant.see({"export": below(300)}, within_s=5.0 + BUSY_MACHINE_S, for_s=2.0)


@pytest.mark.parametrize("baud_rate", [QUICK])
def test_noise_echoes_and_broken_frames_cost_readings_and_nothing_else(plant: RunningPlant) -> None:
    port = str(plant.config.modbus_devices()[0].way)
    plant.site.set_line_troubles(port, LineTroubles(echo=True, noise=2, corrupt_every=23, half_every=31))
    results = watched(plant)

    assert all(result.mode == "normal" for result in results)
    assert max(meter_ages_s(results)) < METER_LATE_S
    plant.see({"import": about(0, LEFT_OVER_WATTS)}, for_s=2.0)


@pytest.mark.parametrize("baud_rate", [QUICK])
def test_a_pulled_cable_is_a_failsafe_with_its_reason_and_the_plant_comes_back_by_itself(plant: RunningPlant) -> None:
    port = str(plant.config.modbus_devices()[0].way)
    plant.site.pull(port)
    wait_until(lambda: plant.results[-1].mode == "failsafe", "the failsafe")
    wait_until(lambda: set(plant.results[-1].snapshot.away) == set(NAMES), "all are away")
    wait_until(lambda: "no such port" in say(plant.results[-1].snapshot.troubles["meter"]), "why")

    plant.site.plug(port)
    wait_until(lambda: plant.results[-1].mode == "normal" and not plant.results[-1].snapshot.away, "all are back", 120)
    plant.see({"import": about(0, LEFT_OVER_WATTS)}, for_s=2.0)
