"""The alert rules: taken by Prometheus, tested in both directions, and explained."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.servers.required import require_server
from tests.support.servers.served_metrics import served_names
from tools.queries import catalogue

REPOSITORY = Path(__file__).parents[2]
CASES = sorted((REPOSITORY / "tests/fixtures/alerts").glob("*_test.yml"))
DOC = REPOSITORY / "docs/alerts.md"
ALERTS = [rule for rule in catalogue.rules() if "alert" in rule]
RECORDED = [rule for rule in catalogue.rules() if "record" in rule]
WANTED = {
    "OrchestratorMeterSilent",
    "OrchestratorInverterAway",
    "OrchestratorDeviceIgnoresCommands",
    "OrchestratorLimitBreached",
    "OrchestratorActorRestarting",
    "OrchestratorSetpointStale",
    "OrchestratorBatterySocSpreadGrowing",
    "OrchestratorCycleLate",
    "OrchestratorSitesSilent",
    "OrchestratorSitesInFailsafe",
    "OrchestratorTargetMissed",
}

Rule = dict[str, Any]


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = require_server("promtool")
    return subprocess.run([program, *arguments], check=False, capture_output=True, text=True, timeout=240)


def name_of(rule: Rule) -> str:
    return str(rule.get("alert") or rule["record"])


def cases_of(alert: str) -> list[Rule]:
    tests = [test for path in CASES for test in yaml.safe_load(path.read_text())["tests"]]
    return [case for test in tests for case in test["alert_rule_test"] if case["alertname"] == alert]


def test_prometheus_takes_the_rules() -> None:
    check = promtool("check", "rules", *map(str, sorted(catalogue.RULES.glob("*.yml"))))

    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.long
def test_each_alert_fires_when_it_should_and_only_then() -> None:
    check = promtool("test", "rules", *map(str, CASES))

    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.parametrize("alert", ALERTS, ids=name_of)
def test_each_alert_is_tested_in_both_directions(alert: Rule) -> None:
    expected = [bool(case["exp_alerts"]) for case in cases_of(alert["alert"])]

    assert True in expected
    assert False in expected


def test_what_an_operator_must_hear_of_is_there() -> None:
    assert {rule["alert"] for rule in ALERTS} == WANTED | {"OrchestratorDown"}


@pytest.mark.parametrize("alert", ALERTS, ids=name_of)
def test_each_alert_says_what_happened_and_what_to_do(alert: Rule) -> None:
    notes = alert["annotations"]

    assert alert["labels"]["severity"] in ("critical", "warning")
    assert "{{ $labels.instance }}" in notes["summary"]
    assert len(notes["action"]) > 60
    assert notes["runbook"] == f"docs/alerts.md#{alert['alert'].lower()}"


@pytest.mark.parametrize("rule", [*ALERTS, *RECORDED], ids=name_of)
def test_a_rule_asks_for_what_is_served_or_recorded(rule: Rule) -> None:
    asked = set(re.findall(r"\borchestrator[_:][\w:]+|\bup\b", rule["expr"]))

    assert asked
    assert asked <= served_names() | {each["record"] for each in RECORDED} | {"up"}


def test_each_alert_has_its_section_in_the_docs_and_nothing_else_has() -> None:
    sections = re.findall(r"^## (Orchestrator\w+)$", DOC.read_text(), re.MULTILINE)

    assert sections == [rule["alert"] for rule in ALERTS]


@pytest.mark.parametrize("alert", ALERTS, ids=name_of)
def test_the_docs_name_the_severity_of_each_alert(alert: Rule) -> None:
    section = DOC.read_text().split(f"## {alert['alert']}\n")[1].split("\n## ")[0]

    assert f"**{alert['labels']['severity']}**" in section
