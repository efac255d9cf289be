"""What deploy/ says must be true of the program it deploys."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric

from actors.metrics import PrometheusObserver
from orchestrator.cli import WRONG
from orchestrator.config import MetricsSection
from tests.support.servers import require_server

DEPLOY = Path(__file__).parents[1] / "deploy"
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboards/orchestrator.json").read_text())
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "summary": ("_sum", "_count"),
    "histogram": ("_bucket", "_sum", "_count"),
}


def panels() -> list[dict[str, Any]]:
    return [panel for panel in BOARD["panels"] if panel["type"] != "row"]


def queries() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def families() -> list[Metric]:
    return list(PrometheusObserver("home", "0").registry.collect())


def served_names() -> set[str]:
    return {family.name + suffix for family in families() for suffix in SUFFIXES[family.type]}


@pytest.mark.parametrize("query", queries())
def test_a_query_of_the_board_asks_for_metrics_that_are_served(query: str) -> None:
    asked = re.findall(r"orchestrator_\w+", query)

    assert asked
    assert set(asked) <= served_names()


def test_every_panel_says_what_it_shows() -> None:
    assert all(panel["title"] and panel["description"] for panel in panels())


def test_no_two_panels_share_an_id_or_a_place() -> None:
    ids = [panel["id"] for panel in BOARD["panels"]]
    cells = [
        (x, y)
        for panel in BOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(ids) == len(set(ids))
    assert len(cells) == len(set(cells))
    assert all(0 <= x < 24 for x, _ in cells)


def test_the_board_asks_the_data_source_that_is_provisioned() -> None:
    provisioned = (DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text()

    assert {panel["datasource"]["uid"] for panel in panels()} == {"prometheus"}
    assert "uid: prometheus" in provisioned


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
