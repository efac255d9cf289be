"""`make stack` as it is started where there is no Docker."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from orchestrator.config.file import load_config
from tests.support.servers.brokers import MqttClient, mqtt_client
from tests.support.servers.required import free_port, listening_addresses, require_server, wait_until

STACK = Path(__file__).parents[2] / "deploy/stack/stack.py"
PARTS = ("Mosquitto", "Orchestrator", "Prometheus")


@dataclass
class Stack:
    """The running stack."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def said(self) -> str:
        return (self.folder / "out.txt").read_text()

    def secret(self, name: str) -> str:
        return (self.folder / "stack" / name).read_text()

    @property
    def site(self) -> Path:
        return self.folder / "stack/site.yaml"

    def where(self, name: str) -> str:
        """The address in the table."""
        return next(line.split()[len(name.split())] for line in self.said.splitlines() if line.startswith(f"  {name} "))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    for program in ("mosquitto", "mosquitto_passwd", "prometheus"):
        require_server(program)
    folder = tmp_path_factory.mktemp("stack")
    with (folder / "out.txt").open("wb") as out:
        ports = [str(free_port()) for _ in range(7)]
        command = [sys.executable, STACK, "--folder", folder / "stack", "--ports", *ports]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    running = Stack(process, folder)
    try:
        wait_until(lambda: "Ctrl-C" in running.said or process.poll() is not None, "the table", 120.0)
        assert process.poll() is None, running.said
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(120)
        lines = running.said.splitlines()
        assert lines[-3:] == [f"stopping {name}" for name in reversed(PARTS)]
        assert code == 0


def query(stack: Stack, expression: str) -> list[dict[str, object]]:
    """What Prometheus answers."""
    url = f"{stack.where('Prometheus')}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        found: list[dict[str, object]] = json.load(answer)["data"]["result"]
        return found


def test_the_table_names_every_part_and_where_it_listens(stack: Stack) -> None:
    for name in ("virtual meter", "virtual east", "virtual west", "virtual roof", "Mosquitto", "metrics", "Prometheus"):
        assert "127.0.0.1:" in stack.where(name)


def test_prometheus_reads_the_plant_with_the_token(stack: Stack) -> None:
    wait_until(lambda: len(query(stack, "orchestrator_inverter_up == 1")) == 3, "the inverters in Prometheus")

    wait_until(lambda: query(stack, "up == 0") == [], "nothing that is down")
    rules_url = f"{stack.where('Prometheus')}/api/v1/rules"
    with urllib.request.urlopen(rules_url, timeout=60) as answer:
        assert json.load(answer)["data"]["groups"]


def test_the_metrics_need_the_token(stack: Stack) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(stack.where("metrics"), timeout=60)
    headers = {"Authorization": f"Bearer {stack.secret('metrics.token')}"}
    with urllib.request.urlopen(urllib.request.Request(stack.where("metrics"), headers=headers), timeout=60) as answer:
        assert b"orchestrator_site_power_watts" in answer.read()


def test_the_broker_lets_nobody_in_without_a_password(stack: Stack) -> None:
    require_server("mosquitto_sub")
    host, port = stack.where("Mosquitto").split(":")
    command = ["mosquitto_sub", "-h", host, "-p", port, "-t", "#", "-C", "1", "-W", "60"]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)

    assert said.returncode != 0
    assert "not authori" in said.stderr.lower()


@contextlib.contextmanager
def operating(stack: Stack) -> Iterator[MqttClient]:
    """The operator, who withdraws at the end what was set."""
    host, port = stack.where("Mosquitto").split(":")
    with mqtt_client(host, int(port), "operator", stack.secret("operator.password")) as operator:
        operator.subscribe("site/home/limits")
        try:
            yield operator
        finally:
            operator.publish("site/home/setpoints", "", retain=True)
            wait_until(lambda: export_limits(operator)[-1] == 5000.0, "the fixed limit")


def export_limits(client: MqttClient) -> list[float]:
    """Every export limit that was published while this client looked on."""
    client.wait_for("site/home/limits")
    return [message.json()["export_limit_watts"]["value"] for message in client.on("site/home/limits")]


def test_a_viewer_sees_the_state_and_cannot_set_anything(stack: Stack) -> None:
    host, port = stack.where("Mosquitto").split(":")
    with (
        operating(stack) as operator,
        mqtt_client(host, int(port), "viewer", stack.secret("viewer.password")) as viewer,
    ):
        viewer.subscribe("site/home/#")
        assert viewer.wait_for("site/home/status").payload == b"online"
        viewer.publish("site/home/setpoints", '{"opModExpLimW": 1}')
        operator.publish("site/home/setpoints", '{"opModExpLimW": 2}', retain=True)
        wait_until(lambda: export_limits(viewer)[-1] == 2.0, "what came behind it")
        assert 1.0 not in export_limits(viewer)


def test_the_operator_sets_a_limit_and_withdraws_it(stack: Stack) -> None:
    with operating(stack) as operator:
        operator.publish("site/home/setpoints", '{"opModExpLimW": 1}', retain=True)
        wait_until(lambda: export_limits(operator)[-1] == 1.0, "the limit")


def test_set_works_with_the_password_from_its_file(stack: Stack) -> None:
    assert main(["set", str(stack.site), "{}"]) == 0
    assert main(["set", str(stack.site), ""]) == 0
    wait_until(lambda: main(["health", str(stack.site)]) == 0, "health")
    assert load_config(stack.site).setpoints.mqtt[0].password is not None


def test_secrets_are_private_and_in_no_log(stack: Stack) -> None:
    folder = stack.folder / "stack"
    secret_files = [*folder.glob("*.password"), *folder.glob("*.token")]
    logs = "".join(path.read_text(errors="replace") for path in folder.glob("*.log")) + stack.said

    assert len(secret_files) == 4
    assert folder.stat().st_mode & 0o077 == 0
    for path in (*secret_files, folder / "mosquitto.users"):
        assert path.stat().st_mode & 0o077 == 0
    assert [path.name for path in secret_files if path.read_text() in logs] == []
    assert not [path for path in secret_files if path.read_text() in (folder / "mosquitto.users").read_text()]


def test_every_part_listens_on_this_machine_only(stack: Stack) -> None:
    children = Path(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children").read_text().split()
    listening = [address for pid in children for address in listening_addresses(int(pid))]

    assert len(children) == len(PARTS)
    assert set(listening) == {"127.0.0.1"}


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    ports = [free_port() for _ in range(7)]
    with socket.create_server(("127.0.0.1", ports[3])):
        command = [sys.executable, STACK, "--folder", tmp_path, "--ports", *map(str, ports)]
        said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)

    assert said.returncode == 1
    assert f"port {ports[3]} for meter is taken" in said.stderr
