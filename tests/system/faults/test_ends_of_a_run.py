"""`orchestrator run` as a process ends: by a signal, or killed. The devices live on in the process of the test."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.config.file import load_config
from orchestrator.simulation.server import serve
from tests.support.command_line import Running, example_site, orchestrator
from tests.support.plants.running_plant import (
    BUSY_MACHINE_S,
    NAMES,
    TOPIC,
    Expected,
    Eyes,
    Publisher,
    about,
    above,
    below,
)
from tests.support.servers.brokers import Mosquitto, mosquitto, mqtt_client
from tests.support.servers.required import PATIENCE_S, require_server

REVERT_S = 10.0
SOME_SUN = {"east": 2000.0, "west": 1000.0, "roof": 7000.0}
LIMITED = {"opModExpLimW": 0, "batteryChargeMaxWatts": 2000}
"""Every inverter has a limit then: there is more PV than load and batteries may take."""

ONE, ZERO = about(1, 0), about(0, 0)
BATTERIES_OWN: Expected = {"east StorCtl_Mod": ZERO, "west StorCtl_Mod": ZERO}
BATTERIES_COMMANDED: Expected = {"east StorCtl_Mod": about(3, 0), "west StorCtl_Mod": about(3, 0)}
LIMITS_GONE: Expected = {f"{name} WMaxLim_Ena": ZERO for name in NAMES}
LIMITS_IN_FORCE: Expected = {f"{name} WMaxLim_Ena": ONE for name in NAMES}
LIMITS_AT_ZERO: Expected = LIMITS_IN_FORCE | {f"{name} WMaxLimPct": ZERO for name in NAMES}


@dataclass(frozen=True)
class Run:
    """A process, the site it runs, and the broker between them."""

    process: Running
    plant: Eyes
    broker: Mosquitto

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        assert self.process.end(signal.SIGKILL) == -signal.SIGKILL


@contextmanager
def limited_run(folder: Path, when_lost: str, revert_s: float = REVERT_S) -> Iterator[Run]:
    """`orchestrator run` of the example site, with an export limit of 0 in force."""
    with mosquitto(folder) as broker:
        path = _site_at(
            broker, folder, ("when_lost: auto", f"when_lost: {when_lost}"), ("revert_s: 60", f"revert_s: {revert_s:g}")
        )
        with serve(load_config(path)) as site:
            plant = Eyes(site)
            plant.set(pv_watts=SOME_SUN, load_watts=1000.0, soc_percent={"east": 50.0, "west": 50.0})
            Publisher(broker).publish(LIMITED)
            with orchestrator(folder, "run", str(path)) as process:
                plant.see(LIMITS_IN_FORCE | BATTERIES_COMMANDED | {"charging": about(1800, 300)})
                plant.see({"export": about(0, 100)}, for_s=1.0)
                yield Run(process, plant, broker)


def _site_at(broker: Mosquitto, folder: Path, *changes: tuple[str, str]) -> Path:
    path = example_site(folder, *changes)
    port = load_config(path).setpoints.mqtt[0].port
    path.write_text(path.read_text().replace(f"port: {port}", f"port: {broker.port}"))
    return path


def test_killed_under_release_batteries_and_limits_go_by_their_revert_timers(tmp_path: Path) -> None:
    with limited_run(tmp_path, "release") as run:
        run.kill()
        assert run.plant.look()["east StorCtl_Mod"] == 3

        run.plant.see(BATTERIES_OWN | LIMITS_GONE, within_s=REVERT_S + BUSY_MACHINE_S)
        # Their own default: each takes what its own PV gives, and all PV works.
        run.plant.see({"east charging": about(2000, 50), "west charging": about(1000, 50), "roof ac": above(6700)})


def test_killed_under_stay_batteries_go_by_their_revert_timers_and_limits_stay(tmp_path: Path) -> None:
    with limited_run(tmp_path, "stay") as run:
        run.kill()
        last = {f"{name} WMaxLimPct": about(run.plant.look()[f"{name} WMaxLimPct"], 0) for name in NAMES}

        run.plant.see(BATTERIES_OWN | LIMITS_IN_FORCE | last, within_s=REVERT_S + BUSY_MACHINE_S)
        run.plant.stays(BATTERIES_OWN | LIMITS_IN_FORCE | last, 5.0)


def test_after_a_power_cut_the_limit_holds_before_the_broker_is_back(tmp_path: Path) -> None:
    """Broker, orchestrator and inverters lose power; what the utility asked for came by MQTT only."""
    with limited_run(tmp_path, "release") as run:
        run.kill()
        run.broker.stop()
        run.plant.see(LIMITS_GONE, within_s=REVERT_S + 1)
        again = tmp_path / "again"
        again.mkdir()

        with orchestrator(again, "run", str(tmp_path / "site.yaml")):
            run.plant.see(LIMITS_IN_FORCE | {"export": below(100)}, within_s=30.0, for_s=3.0)


def test_killed_it_is_offline_by_its_will(tmp_path: Path) -> None:
    with limited_run(tmp_path, "stay") as run, mqtt_client(run.broker.host, run.broker.port) as client:
        client.subscribe(f"{TOPIC}/status")
        assert client.wait_for(f"{TOPIC}/status").payload == b"online"
        run.kill()
        assert client.wait_for(f"{TOPIC}/status", 2).payload == b"offline"

        retained = _mosquitto_sub(run.broker, f"{TOPIC}/status", "%r %p")
        assert retained == ["1 offline"]


def test_killed_it_takes_over_again_without_a_jump(tmp_path: Path) -> None:
    with limited_run(tmp_path, "stay", revert_s=60.0) as run:
        run.kill()
        path = tmp_path / "site.yaml"
        with orchestrator(tmp_path, "run", str(path)) as again:
            again.wait_for_output("limits export limit 0 W (mqtt)")
            run.plant.stays({"export": below(100), "import": below(300), "charging": above(1000)}, 8.0)
            run.plant.see({"charging": about(1800, 300)})


@pytest.mark.parametrize(
    ("number", "when_lost", "left"),
    [(signal.SIGTERM, "stay", LIMITS_AT_ZERO), (signal.SIGINT, "release", LIMITS_GONE)],
    ids=["SIGTERM stay", "SIGINT release"],
)
def test_a_signal_releases_the_batteries_leaves_the_limits_as_when_lost_says_and_exits_0(
    tmp_path: Path, number: signal.Signals, when_lost: str, left: Expected
) -> None:
    with limited_run(tmp_path, when_lost) as run:
        assert run.process.end(number) == 0

        run.plant.stays(BATTERIES_OWN | left, 0.1)
        assert _mosquitto_sub(run.broker, f"{TOPIC}/status", "%r %p") == ["1 offline"]
        if when_lost == "stay":
            run.plant.stays(BATTERIES_OWN | left, REVERT_S + 2)  # there is no timer that would lift it


def _mosquitto_sub(broker: Mosquitto, topic: str, form: str) -> list[str]:
    """What a new subscriber is given first, as Mosquitto's own client prints it."""
    program = require_server("mosquitto_sub")
    command = [program, "-h", broker.host, "-p", str(broker.port), "-t", topic, "-F", form, "-C", "1"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE_S).stdout.splitlines()
