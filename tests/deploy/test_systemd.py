"""The systemd unit, judged by systemd itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.servers.required import require_server

UNIT = Path(__file__).parents[2] / "deploy/systemd/orchestrator.service"
SERIAL_PORT = UNIT.with_name("serial-port.conf")
MOST_EXPOSURE = 2.0
MOST_EXPOSURE_WITH_A_PORT = 2.5
"""Users of its own and devices of its own count 0.2 each; the list of devices is as closed as before."""


def test_the_unit_is_closed_as_far_as_it_can_be() -> None:
    assert exposure(UNIT) <= MOST_EXPOSURE


def exposure(unit: Path) -> float:
    """How open systemd finds a unit, from 0 to 10."""
    command = [require_server("systemd-analyze"), "security", "--offline=true", "--no-pager", str(unit)]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    found = re.search(r"Overall exposure level for orchestrator\.service: ([\d.]+)", said.stdout)
    assert found is not None, said.stdout + said.stderr
    return float(found[1])


def test_with_a_serial_port_the_unit_stays_closed_but_for_serial_ports(tmp_path: Path) -> None:
    """The drop-in written behind the unit: settings that come later count."""
    both = tmp_path / UNIT.name
    unit, install = UNIT.read_text().split("[Install]")
    both.write_text(f"{unit}\n{SERIAL_PORT.read_text()}\n[Install]{install}")

    assert exposure(both) <= MOST_EXPOSURE_WITH_A_PORT
    assert "\nDevicePolicy=closed\n" in unit
    assert re.findall(r"^DeviceAllow=(\S+) rw$", both.read_text(), re.MULTILINE) == [
        "char-ttyUSB",
        "char-ttyACM",
        "char-ttyAMA",
    ]
    assert problems_of(both) == ""


def test_systemd_knows_every_setting_of_the_unit() -> None:
    assert problems_of(UNIT) == ""


def problems_of(unit: Path) -> str:
    """What systemd does not understand of a unit; that there is no such program or user here is none of it."""
    command = [require_server("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no", str(unit)]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240).stderr
    words = ("Unknown", "Failed to parse", "ignoring")
    return "\n".join(line for line in said.splitlines() if any(word in line for word in words))


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
