"""The systemd unit, judged by systemd itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.servers.required import require_server

UNIT = Path(__file__).parents[2] / "deploy/systemd/orchestrator.service"
MOST_EXPOSURE = 2.0


def test_the_unit_is_closed_as_far_as_it_can_be() -> None:
    analyze = require_server("systemd-analyze")
    command = [analyze, "security", "--offline=true", "--no-pager", str(UNIT)]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    exposure = re.search(r"Overall exposure level for orchestrator\.service: ([\d.]+)", said.stdout)

    assert exposure is not None, said.stdout + said.stderr
    assert float(exposure[1]) <= MOST_EXPOSURE


def test_systemd_knows_every_setting_of_the_unit() -> None:
    analyze = require_server("systemd-analyze")
    command = [analyze, "verify", "--man=no", "--recursive-errors=no", str(UNIT)]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240).stderr

    assert "Unknown" not in said
    assert "Failed to parse" not in said
    assert "ignoring" not in said


def test_the_watchdog_is_fed_by_the_service_itself() -> None:
    text = UNIT.read_text()

    assert "\nType=notify\n" in text
    assert "\nWatchdogSec=30\n" in text
    assert "\nRestart=on-failure\n" in text
    assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in text


def test_the_unit_waits_for_a_clock_that_is_right() -> None:
    text = UNIT.read_text()

    assert "\nAfter=network-online.target time-sync.target\n" in text
    assert "\nWants=network-online.target time-sync.target\n" in text
