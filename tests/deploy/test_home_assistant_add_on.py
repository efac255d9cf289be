"""The add-on of Home Assistant: what its Supervisor asks of the folder, and its start against virtual devices."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from orchestrator.config.file import load_config, parse_config
from tests.support.servers.networks import network_of_makes
from tests.support.servers.required import PATIENCE_S

ADD_ON = Path(__file__).parents[2] / "deploy/home-assistant/orchestrator"
CONFIG = yaml.safe_load((ADD_ON / "config.yaml").read_text())
REQUIRED = {"name", "version", "slug", "description", "arch"}


def test_it_has_what_the_supervisor_requires() -> None:
    assert set(CONFIG) >= REQUIRED
    assert set(CONFIG["arch"]) == {"amd64", "aarch64"}  # as the wheels that are needed
    assert re.fullmatch(r"[a-z0-9_-]+", CONFIG["slug"])
    assert yaml.safe_load((ADD_ON.parent / "repository.yaml").read_text())["name"]


def test_every_option_is_explained_in_each_language_and_used() -> None:
    start = (ADD_ON / "start.py").read_text()
    assert set(CONFIG["options"]) <= set(CONFIG["schema"])
    for language in ("en", "de"):
        said = yaml.safe_load((ADD_ON / f"translations/{language}.yaml").read_text())
        assert set(said["configuration"]) == set(CONFIG["schema"])
        assert set(said["network"]) == set(CONFIG["ports"])
    for option in CONFIG["schema"]:
        assert f'"{option}"' in start
        assert f"`{option}`" in (ADD_ON / "DOCS.md").read_text()


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_the_pictures_have_the_size_that_is_asked_for(name: str, size: tuple[int, int]) -> None:
    head = (ADD_ON / name).read_bytes()[:24]

    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == size


def test_the_sections_of_its_docs_are_fine(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", (ADD_ON / "DOCS.md").read_text(), re.DOTALL)
    assert found is not None
    (tmp_path / "broker-password.txt").write_text("secret")
    (tmp_path / "broker-password.txt").chmod(0o600)
    site = tmp_path / "site.yaml"
    site.write_text(
        f"site: {{name: a}}\nmeter: {{host: 10.0.0.1}}\ninverters: [{{name: b, host: 10.0.0.2}}]\n{found[1]}"
    )

    publish = load_config(site).publish
    assert publish.mqtt is not None
    assert publish.for_home_assistant


RUNS = """#!/bin/sh
test "$1" = run && { echo "runs $2"; exit 0; }
exec {python} -m orchestrator.cli "$@"
"""
"""The command, but for `run`, which would go on for ever: it is a test of its own."""


def start(folder: Path, **options: str) -> subprocess.CompletedProcess[str]:
    (folder / "options.json").write_text(json.dumps(options))
    command = folder / "orchestrator"
    command.write_text(RUNS.replace("{python}", sys.executable))
    command.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(ADD_ON.parents[2]),
        "ORCHESTRATOR_SITE": str(folder / "site.yaml"),
        "ORCHESTRATOR_OPTIONS": str(folder / "options.json"),
        "ORCHESTRATOR_STATE": str(folder / "state"),
    }
    program = [sys.executable, str(ADD_ON / "start.py")]
    return subprocess.run(
        program, check=False, cwd=folder, env=environment, text=True, capture_output=True, timeout=PATIENCE_S
    )


def test_without_a_site_and_a_network_it_says_what_to_do(tmp_path: Path) -> None:
    said = start(tmp_path, scan="")

    assert said.returncode == 1
    assert "into the option 'scan'" in said.stdout


def test_a_site_that_is_there_is_run_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("mine")

    assert start(tmp_path, scan="127.0.0.1:1").stdout == f"runs {tmp_path}/site.yaml\n"
    assert (tmp_path / "site.yaml").read_text() == "mine"


@pytest.mark.long
def test_with_a_network_it_makes_a_site_in_shadow_mode_and_runs_it(tmp_path: Path) -> None:
    with network_of_makes(("kostal-plenticore",)) as site:
        where = f"127.0.0.2:{site.config.meter.port}"  # type: ignore[union-attr]
        said = start(tmp_path, scan=where, timezone="Europe/Berlin", export_limit="5kW")

    assert said.returncode == 0, said
    assert said.stdout.endswith(f"runs {tmp_path}/site.yaml\n")
    config = parse_config((tmp_path / "site.yaml").read_text(), environ={})
    assert [each.driver for each in config.inverters] == ["kostal-plenticore"]
    assert not config.control.enabled
    assert config.control.state_dir == str(tmp_path / "state")
    assert config.setpoints.fixed.export_limit_watts == 5000
    assert config.site.timezone == "Europe/Berlin"
