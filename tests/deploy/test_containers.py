"""Compose files and Dockerfile: read by Docker Compose itself where it is, and compared with the program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.commands.run.broker import is_broker_listening
from orchestrator.config.file import load_config
from tests.support.servers.brokers import mqtt_client
from tests.support.servers.required import free_port, require_server, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = DEPLOY / "compose"
SECRETS = ("MQTT_PASSWORD", "MQTT_OPERATOR_PASSWORD", "MQTT_VIEWER_PASSWORD", "METRICS_TOKEN", "GRAFANA_PASSWORD")
VIRTUAL, REAL = ("compose.yaml",), ("compose.yaml", "compose.real.yaml")


def config(folder: Path, *files: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What docker-compose makes of the files."""
    program = require_server("docker-compose")
    arguments = [argument for name in files for argument in ("-f", str(COMPOSE / name))]
    kept = {key: value for key, value in os.environ.items() if key not in (*SECRETS, "SITE")}
    return subprocess.run(
        [program, "--project-directory", str(COMPOSE), *arguments, "config"],
        check=False, capture_output=True, text=True, timeout=240, cwd=folder, env=kept | environment,
    )  # fmt: skip


@pytest.fixture
def secrets() -> dict[str, str]:
    return {name: f"secret-{name.lower()}" for name in SECRETS}


@pytest.mark.parametrize("files", [VIRTUAL, REAL], ids=["virtual", "real"])
def test_compose_takes_the_files(files: tuple[str, ...], tmp_path: Path, secrets: dict[str, str]) -> None:
    said = config(tmp_path, *files, SITE="/tmp/site.yaml", **secrets)

    assert said.returncode == 0, said.stderr
    services = yaml.safe_load(said.stdout)["services"]
    assert set(services) == {"orchestrator", "mosquitto", "prometheus", "grafana"}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        ports = service.get("ports", [])
        assert all(str(port).startswith("127.0.0.1:") or "127.0.0.1" in str(port) for port in ports), name
    assert "--simulate" in services["orchestrator"]["command"] or files == REAL


def test_a_serial_port_is_passed_on_with_the_group_that_it_belongs_to(tmp_path: Path, secrets: dict[str, str]) -> None:
    files = (*REAL, "compose.serial.yaml")
    said = config(tmp_path, *files, SITE="/tmp/site.yaml", SERIAL_PORT="/dev/null", SERIAL_GROUP="986", **secrets)
    assert said.returncode == 0, said.stderr
    orchestrator = yaml.safe_load(said.stdout)["services"]["orchestrator"]

    assert "/dev/null" in str(orchestrator["devices"])
    assert "/dev/ttyUSB0" in str(orchestrator["devices"])
    assert [str(each) for each in orchestrator["group_add"]] == ["986"]
    assert config(tmp_path, *files, SITE="/tmp/site.yaml", **secrets).returncode != 0


def test_a_real_site_takes_the_place_of_the_virtual_one(tmp_path: Path, secrets: dict[str, str]) -> None:
    said = config(tmp_path, *REAL, SITE="/srv/my-site.yaml", **secrets)
    orchestrator = yaml.safe_load(said.stdout)["services"]["orchestrator"]

    assert "--simulate" not in orchestrator["command"]
    mounts = [str(volume) for volume in orchestrator["volumes"]]
    assert sum("/etc/orchestrator/site.yaml" in mount for mount in mounts) == 1
    assert any("/srv/my-site.yaml" in mount for mount in mounts)


@pytest.mark.parametrize("missing", SECRETS)
def test_without_a_password_nothing_comes_up(missing: str, tmp_path: Path, secrets: dict[str, str]) -> None:
    if (COMPOSE / ".env").exists():
        pytest.skip("deploy/compose/.env has the passwords")
    said = config(tmp_path, *VIRTUAL, **{name: value for name, value in secrets.items() if name != missing})

    assert said.returncode != 0
    assert missing in said.stderr


def test_what_the_compose_file_mounts_is_there() -> None:
    services: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith(".") or (COMPOSE / source).exists(), source


def test_the_site_of_the_stack_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "MQTT_HOST": "mosquitto",
        "METRICS_HOST": "0.0.0.0",
        "MQTT_PASSWORD": "p",
        "METRICS_TOKEN": "t",
    }.items():
        monkeypatch.setenv(name, value)
    site = DEPLOY / "stack/site.yaml"

    metrics = load_config(site).metrics
    assert metrics is not None
    assert "orchestrator" in metrics.allowed_hosts  # what Prometheus calls it in the network of compose.yaml


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    promtool = require_server("promtool")
    shutil.copytree(DEPLOY / "prometheus/rules", tmp_path / "rules")
    text = (COMPOSE / "prometheus.yml").read_text()
    (tmp_path / "token").write_text("t")
    (tmp_path / "prometheus.yml").write_text(text.replace("/run/prometheus/metrics.token", str(tmp_path / "token")))
    command = [promtool, "check", "config", str(tmp_path / "prometheus.yml")]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)

    assert said.returncode == 0, said.stdout + said.stderr


def test_the_image_is_not_root_looks_after_its_health_and_takes_what_the_program_needs() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    instructions = re.findall(r"^([A-Z]+) (.+)$", text, re.MULTILINE)

    assert ("USER", "10001:10001") in instructions
    assert 'CMD ["orchestrator", "health", "/etc/orchestrator/site.yaml"]' in text
    copied = {source for name, rest in instructions if name == "COPY" for source in rest.split()[:-1]}
    assert {source for source in copied if not source.startswith(("--", "/"))} == {
        line[1:] for line in (DEPLOY.parent / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    assert [
        source for source in copied if not source.startswith(("--", "/")) and not (DEPLOY.parent / source).exists()
    ] == []


def test_the_script_is_a_script() -> None:
    said = subprocess.run(["sh", "-n", DEPLOY / "stack/compose.sh"], check=False, capture_output=True, text=True)

    assert said.returncode == 0, said.stderr
    assert os.access(DEPLOY / "stack/compose.sh", os.X_OK)


def test_the_broker_of_the_compose_file_asks_for_passwords_and_keeps_its_list(tmp_path: Path) -> None:
    """Its start script, run as it stands; only its folders and its port are others."""
    program, port = require_server("mosquitto"), free_port()
    services = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]
    script = str(services["mosquitto"]["command"][0]).replace("$$", "$")
    (tmp_path / "settings").mkdir()
    for name in ("mosquitto.conf", "mosquitto.acl"):
        shutil.copyfile(DEPLOY / "stack" / name, tmp_path / "settings" / name)
    with (tmp_path / "settings/mosquitto.conf").open("a") as settings:
        settings.write("user root\n")  # a test may run as root, the container does not
    for here, there in (("/run/mosquitto", tmp_path), ("/etc/mosquitto-stack", tmp_path / "settings"), ("1883", port)):
        script = script.replace(str(here), str(there))
    passwords = {
        "MQTT_PASSWORD": "one-word",
        "MQTT_OPERATOR_PASSWORD": "two-words",
        "MQTT_VIEWER_PASSWORD": "three-words",
    }
    path = f"{Path(program).parent}:{os.environ['PATH']}"
    broker = subprocess.Popen(["sh", "-euc", script], env={**os.environ, **passwords, "PATH": path})
    try:
        wait_until(lambda: is_broker_listening("127.0.0.1", port), "the broker")
        with (
            mqtt_client("127.0.0.1", port, "viewer", "three-words") as viewer,
            mqtt_client("127.0.0.1", port, "operator", "two-words") as operator,
        ):
            viewer.subscribe("site/home/#")
            viewer.publish("site/home/setpoints", "of the viewer")
            operator.publish("site/home/setpoints", "of the operator")
            assert viewer.wait_for("site/home/setpoints").payload == b"of the operator"
        users = dict(line.split(":", 1) for line in (tmp_path / "users").read_text().splitlines())
        assert set(users) == {"orchestrator", "operator", "viewer"}
        assert all(hashed.startswith("$") for hashed in users.values())
        assert not [word for word in passwords.values() if word in "".join(users.values())]  # no hash has a hyphen
    finally:
        broker.terminate()
        broker.wait(60)
