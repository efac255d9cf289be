"""What deploy/ says must be true of the program it deploys."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

from orchestrator.cli.main import WRONG
from orchestrator.config.sections import MetricsSection
from tests.support.servers.required import require_server

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_prometheus_takes_its_configuration() -> None:
    promtool = require_server("promtool")
    check = subprocess.run(
        [promtool, "check", "config", str(DEPLOY / "prometheus/prometheus.yml")],
        check=False,
        capture_output=True,
        text=True,
    )

    assert check.returncode == 0, check.stdout + check.stderr


def test_prometheus_reads_the_port_that_is_served_by_default() -> None:
    default = MetricsSection()

    assert f"{default.host}:{default.port}" in (DEPLOY / "prometheus/prometheus.yml").read_text()


def test_the_unit_runs_the_program_and_does_not_repeat_a_wrong_site() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # keys of a unit are case sensitive
    unit.read(DEPLOY / "systemd/orchestrator.service")

    assert unit["Service"]["ExecStart"].split()[1] == "run"
    assert unit["Service"]["Restart"] == "on-failure"
    assert unit["Service"]["RestartPreventExitStatus"] == str(WRONG)
