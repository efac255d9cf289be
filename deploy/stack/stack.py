"""`make stack`: virtual site, orchestrator, Mosquitto with users and access list, and Prometheus, without Docker.

Everything listens on 127.0.0.1. Passwords are made anew for each start and lie in the folder, readable by its owner
only. Ctrl-C stops the parts in the opposite order.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
HERE = Path(__file__).parent
HOST = "127.0.0.1"
USERS = ("orchestrator", "operator", "viewer")
PORTS = {
    "Mosquitto": 1883,
    "metrics": 9464,
    "Prometheus": 9090,
    "meter": 5020,
    "east": 5021,
    "west": 5022,
    "roof": 5023,
}
READY_WITHIN_S = 30.0
STOP_WITHIN_S = 20.0
LOOK_EVERY_S = 0.2


class StackError(Exception):
    """A part is missing, or did not come up."""


@dataclass(frozen=True)
class Part:
    """One program of the stack. `is_ready` may be asked again and again."""

    name: str
    command: Sequence[str | Path]
    is_ready: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict)


class Running:
    """A part that was started; its output goes into a file."""

    def __init__(self, part: Part, folder: Path) -> None:
        self.part = part
        self.log = folder / f"{part.name.lower()}.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                part.command,
                cwd=folder,
                env=os.environ | part.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this program only, which stops them in order
            )

    def wait_until_ready(self, ended: threading.Event) -> None:
        """Raises StackError when it does not come up."""
        deadline_s = time.monotonic() + READY_WITHIN_S
        while not self.part.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline_s:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
                raise StackError(f"{self.part.name} did not come up; the end of {self.log}:\n{tail}")
            if ended.wait(LOOK_EVERY_S):
                raise StackError("stopped while starting")

    def stop(self) -> None:
        """End it, by force when it takes too long."""
        print(f"stopping {self.part.name}", flush=True)
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main() -> int:
    """Run until a signal (0), or until a part fails (1)."""
    options = _options()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with ExitStack() as running:
            parts = _start_all(options.folder.absolute(), _ports(options.ports), running, ended)
            while not ended.wait(LOOK_EVERY_S):
                for part in parts:
                    if part.process.poll() is not None:
                        raise StackError(f"{part.part.name} has ended by itself; see {part.log}")
    except StackError as error:
        print(error, file=sys.stderr)
        return 0 if ended.is_set() else 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "state/stack", help="where everything is kept")
    usual = " ".join(map(str, PORTS.values()))
    ports = f"the ports of {', '.join(PORTS)} (default: {usual})"
    parser.add_argument("--ports", type=int, nargs=len(PORTS), default=list(PORTS.values()), metavar="PORT", help=ports)
    return parser.parse_args()


def _ports(wanted: Sequence[int]) -> dict[str, int]:
    """The ports by the names of what listens there. Raises StackError where one is taken."""
    ports = dict(zip(PORTS, wanted, strict=True))
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as taken:
                raise StackError(f"port {port} for {name} is taken: {taken.strerror}") from taken
    return ports


def _start_all(folder: Path, ports: dict[str, int], running: ExitStack, ended: threading.Event) -> list[Running]:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    passwords = {user: _secret(folder / f"{user}.password") for user in USERS}
    _secret(folder / "metrics.token")
    site = _write_site(folder, ports)
    parts = []
    for part in (
        _mosquitto(folder, ports, passwords),
        _orchestrator(site, ports),
        _prometheus(folder, ports),
    ):
        print(f"starting {part.name}", flush=True)
        started = Running(part, folder)
        running.callback(started.stop)
        started.wait_until_ready(ended)
        parts.append(started)
    print(_table(folder, site, ports), flush=True)
    return parts


def _secret(path: Path) -> str:
    """A new one, in a file that only its owner can read."""
    text = secrets.token_urlsafe(24)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return text


def _write_site(folder: Path, ports: dict[str, int]) -> Path:
    """The site of this stack: with its ports, and with secrets from files, so that `orchestrator set` works too."""
    text = (HERE / "site.yaml").read_text()
    for name, port in ports.items():
        text = re.sub(rf"\b{PORTS[name]}\b", str(port), text)
    text = text.replace('password: "${MQTT_PASSWORD}"', f"password_file: {folder}/orchestrator.password")
    text = text.replace('token: "${METRICS_TOKEN}"', f"token_file: {folder}/metrics.token")
    text = text.replace('"${MQTT_HOST}"', HOST).replace('"${METRICS_HOST}"', HOST)
    text = text.replace("state_dir: ./state", f"state_dir: {folder}/state")
    path = folder / "site.yaml"
    path.write_text(text)
    return path


def _mosquitto(folder: Path, ports: dict[str, int], passwords: dict[str, str]) -> Part:
    users, settings, rights = folder / "mosquitto.users", folder / "mosquitto.conf", folder / "mosquitto.acl"
    users.unlink(missing_ok=True)
    users.touch(mode=0o600)
    users.write_text("".join(f"{user}:{password}\n" for user, password in passwords.items()))
    subprocess.run([_program("mosquitto_passwd", "mosquitto"), "-U", users], check=True)  # from plain text to hashes
    shutil.copyfile(HERE / "mosquitto.acl", rights)
    rights.chmod(0o600)
    as_root = ["user root"] if os.geteuid() == 0 else []  # it could not read the private files otherwise
    listener = [f"listener {ports['Mosquitto']} {HOST}", "max_connections 100"]
    lines = [*as_root, f"password_file {users}", f"acl_file {rights}", *listener]
    settings.write_text((HERE / "mosquitto.conf").read_text() + "\n".join(lines) + "\n")
    command: list[str | Path] = [_program("mosquitto", "mosquitto"), "-c", settings]
    return Part("Mosquitto", command, lambda: _listens(ports["Mosquitto"]))


def _orchestrator(site: Path, ports: dict[str, int]) -> Part:
    command: list[str | Path] = [sys.executable, "-m", "orchestrator.cli", "run", site, "--simulate"]
    url = f"http://{HOST}:{ports['metrics']}/healthz"
    return Part("Orchestrator", command, lambda: _answers(url))


def _prometheus(folder: Path, ports: dict[str, int]) -> Part:
    text = (REPOSITORY / "deploy/prometheus/prometheus.yml").read_text()
    text = text.replace(f"{HOST}:{PORTS['metrics']}", f"{HOST}:{ports['metrics']}")
    text = text.replace("rules/*.yml", f"{REPOSITORY}/deploy/prometheus/rules/*.yml")
    authorized = f"  - job_name: orchestrator\n    authorization: {{credentials_file: {folder}/metrics.token}}\n"
    settings = folder / "prometheus.yml"
    settings.write_text(text.replace("  - job_name: orchestrator\n", authorized))
    command = [
        _program("prometheus", "prometheus"),
        f"--config.file={settings}",
        f"--storage.tsdb.path={folder}/prometheus",
        f"--web.listen-address={HOST}:{ports['Prometheus']}",
        "--storage.tsdb.retention.time=2d",
        "--log.level=warn",
    ]
    return Part("Prometheus", command, lambda: _answers(f"http://{HOST}:{ports['Prometheus']}/-/ready"))


def _program(name: str, package: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise StackError(f"{name} is missing: sudo apt-get install {package}")
    return path


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), 1):
            return True
    except OSError:
        return False


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _table(folder: Path, site: Path, ports: dict[str, int]) -> str:
    """Where each part listens, and how to go on."""
    rows = [
        ("virtual meter", f"{HOST}:{ports['meter']}", "Modbus TCP, unit 200"),
        *((f"virtual {name}", f"{HOST}:{ports[name]}", "Modbus TCP, unit 1") for name in ("east", "west", "roof")),
        ("Mosquitto", f"{HOST}:{ports['Mosquitto']}", f"users {', '.join(USERS)}; passwords in {folder}"),
        ("metrics", f"http://{HOST}:{ports['metrics']}/metrics", f"token in {folder}/metrics.token"),
        ("Prometheus", f"http://{HOST}:{ports['Prometheus']}", "graphs, and the alerts"),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"  {name:<{widths[0]}}  {where:<{widths[1]}}  {what}" for name, where, what in rows]
    password = f'"$(cat {folder}/viewer.password)"'
    hints = [
        f"  set a limit   {sys.executable} -m orchestrator.cli set {site} '{{\"opModExpLimW\": 0}}'",
        f"  see the state mosquitto_sub -h {HOST} -p {ports['Mosquitto']} -u viewer -P {password} -t 'site/home/#' -v",
        f"  logs          {folder}/*.log",
        "  stop          Ctrl-C",
    ]
    return "\n".join(["", *lines, "", *hints, ""])


if __name__ == "__main__":
    sys.exit(main())
