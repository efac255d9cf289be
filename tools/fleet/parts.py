"""The parts of the fleet: brokers, sites, portfolio, store of metrics: their files, how they start and end."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from bench.program import cpu_s, free_port, memory_mib

HOST: Final = "127.0.0.1"
READY_WITHIN_S: Final = 60.0
STOP_WITHIN_S: Final = 20.0
NODES: Final = 3
LIMITS: Final = ("export_limit_watts", "import_limit_watts")
WIDE_WATTS: Final = 20000.0
"""For each site, so that there are limits to be shown, and never in the way of a target."""
ORCHESTRATOR: Final = Path(sys.executable).with_name("orchestrator")


class FleetError(Exception):
    """A part is missing, or did not come up."""


@dataclass
class Part:
    """One program; what it says goes into a file."""

    name: str
    command: Sequence[str | Path]
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, or start it again."""
        with (self.folder / f"{self.name}.log").open("ab") as out:
            self.process = subprocess.Popen(
                [str(each) for each in self.command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this program only, which ends them in order
            )

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """End it, by force when it takes too long."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def cpu_s(self) -> float:
        """Processor time so far."""
        if self.process is None:
            return 0.0
        return cpu_s(self.process.pid)

    def memory_mib(self) -> float:
        """What it holds in memory."""
        return 0.0 if self.process is None else memory_mib(self.process.pid)


@dataclass(frozen=True)
class Brokers:
    """Where the brokers are: the first node, and the others."""

    ports: tuple[int, ...]

    def at(self, first: int = 0) -> dict[str, Any]:
        """The keys of site.yaml for somebody who tries this node first."""
        host, *others = (*self.ports[first:], *self.ports[:first])
        further = {"other_hosts": [f"{HOST}:{each}" for each in others]} if others else {}
        return {"host": HOST, "port": host, **further}


def found(program: str) -> str | None:
    """Where a program of the machine is."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


def brokers(folder: Path) -> tuple[Brokers, list[Part]]:
    """Three nodes of NATS; one Mosquitto where that is not installed. Raises FleetError where neither is."""
    nats, mosquitto = found("nats-server"), found("mosquitto")
    if nats is not None:
        ports, routes = [[free_port() for _ in range(NODES)] for _ in range(2)]
        return Brokers(tuple(ports)), [_node(folder, nats, each, ports, routes) for each in range(NODES)]
    if mosquitto is None:
        raise FleetError("neither nats-server nor mosquitto is installed: sudo apt-get install nats-server")
    port = free_port()
    file = folder / "mosquitto.conf"
    file.write_text(f"listener {port} {HOST}\nallow_anonymous true\nmax_queued_messages 10000\n")
    return Brokers((port,)), [Part("broker", [mosquitto, "-c", file], folder)]


def _node(folder: Path, program: str, node: int, ports: Sequence[int], routes: Sequence[int]) -> Part:
    file = folder / f"nats-{node}.conf"
    others = ", ".join(f'"nats://{HOST}:{each}"' for each in routes)
    file.write_text(
        f'server_name: node{node}\nlisten: "{HOST}:{free_port()}"\njetstream {{ store_dir: "{folder}/nats-{node}" }}\n'
        f'cluster {{ name: fleet, listen: "{HOST}:{routes[node]}", routes: [{others}] }}\n'
        f'mqtt {{ listen: "{HOST}:{ports[node]}" }}\n'
    )
    return Part(f"broker-{node}", [program, "-c", file], folder)


def portfolio(folder: Path, names: Sequence[str], at: Brokers, metrics_port: int) -> Part:
    """The portfolio of these sites."""
    keys = at.at()
    sites = len(names)
    config = {
        "site": {"name": "fleet"},
        "meter": {"driver": "sum"},
        "inverters": [{"name": name, "driver": "site", "topic": f"sites/{name}", **keys} for name in names],
        "control": {"battery_power_flow": True, "revert_s": 60, "state_dir": str(folder / "portfolio-state")},
        "setpoints": {"mqtt": {**keys, "topic": "fleet/setpoints"}, "fixed": dict.fromkeys(LIMITS, WIDE_WATTS * sites)},
        "metrics": {"host": HOST, "port": metrics_port},
        "logging": {"level": "warning"},  # a thousand sites have a thousand reasons, in each cycle
    }
    return _orchestrator(folder, "portfolio", config)


def real_site(folder: Path, name: str, at: Brokers, first: int, metrics_port: int) -> Part:
    """A site with three virtual devices and a meter, on ports of its own."""
    battery = {"capacity_wh": 10000, "charge_watts": 5000, "discharge_watts": 5000, "soc_percent": 50}
    inverters = {
        "east": {"pv_peak_watts": 6000, "ac_rating_watts": 5000, "battery": battery},
        "west": {"pv_peak_watts": 4000, "ac_rating_watts": 4000, "battery": battery | {"capacity_wh": 5000}},
        "roof": {"pv_peak_watts": 8000, "ac_rating_watts": 8000},
    }
    config = {
        "site": {"name": name},
        "meter": {"host": HOST, "port": free_port(), "unit_id": 200, "sign": "import_positive"},
        "inverters": [{"name": each, "host": HOST, "port": free_port(), "unit_id": 1} for each in inverters],
        "control": {"battery_power_flow": True, "state_dir": str(folder / f"{name}-state")},
        "publish": {
            "mqtt": {
                **at.at(first),
                "topic": f"sites/{name}",
                "portfolio": {"grid_charging": True, "default": {"export_limit_watts": 3000}},
            }
        },
        "metrics": {"host": HOST, "port": metrics_port},
        "simulation": {"inverters": inverters},
    }
    return _orchestrator(folder, name, config, "--simulate")


def light_sites(folder: Path, names: Sequence[str], at: Brokers, part: str = "light-sites") -> Part:
    """These sites in one process, which is called `part`."""
    program = Path(__file__).with_name("light.py")
    command: list[str | Path] = [sys.executable, program, "--broker", json.dumps(at.at(1 % len(at.ports)))]
    return Part(part, [*command, json.dumps(list(names))], folder)


def metrics_store(folder: Path, port: int) -> Part | None:
    """VictoriaMetrics, which takes what is pushed to it; None where it is not installed."""
    program = found("victoria-metrics")
    if program is None:
        return None
    command = [program, f"-httpListenAddr={HOST}:{port}", f"-storageDataPath={folder}/metrics"]
    command.append("-search.latencyOffset=1s")  # else it shows nothing of the last 30 s
    return Part("victoria-metrics", command, folder)


def metrics_agent(folder: Path, scraped: Sequence[int], store_port: int, interval_s: int = 5) -> Part | None:
    """Prometheus as an agent: reads these ports and pushes to the store; None where it is not installed."""
    program = found("prometheus")
    if program is None:
        return None
    config = {
        "global": {"scrape_interval": f"{interval_s}s"},
        "scrape_configs": [
            {"job_name": "orchestrator", "static_configs": [{"targets": [f"{HOST}:{each}" for each in scraped]}]}
        ],
        "remote_write": [{"url": f"http://{HOST}:{store_port}/api/v1/write"}],
    }
    file = folder / "agent.yml"
    file.write_text(yaml.safe_dump(config))
    command = [program, "--enable-feature=agent", f"--config.file={file}", f"--storage.agent.path={folder}/agent"]
    return Part("metrics-agent", [*command, f"--web.listen-address={HOST}:{free_port()}", "--log.level=warn"], folder)


def _orchestrator(folder: Path, name: str, config: dict[str, Any], *options: str) -> Part:
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    return Part(name, [ORCHESTRATOR, "run", file, *options], folder)


def wait_for_port(port: int, part: Part) -> None:
    """Return when somebody listens there. Raises FleetError when that takes too long."""
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s and not part.has_ended:
        with socket.socket() as asking:
            if asking.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.2)
    log = part.folder / f"{part.name}.log"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise FleetError(f"{part.name} did not come up; the end of {log}:\n{tail}")
