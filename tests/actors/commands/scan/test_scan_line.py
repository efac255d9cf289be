"""A scan of a serial line with virtual devices: units and speed are found, nothing is written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from actors.commands.progress import Lines, watch
from actors.commands.scan.scan_line import LineOptions, scan_line
from orchestrator.commissioning.drafts.draft_site import draft_site
from orchestrator.commissioning.scan_report import Kind, ScanReport
from orchestrator.commissioning.scan_targets import LineEndpoint, line_endpoints
from orchestrator.config.file import parse_config
from orchestrator.config.sections import InverterConfig
from orchestrator.devices.link.ways import SerialWay
from orchestrator.errors import LinkDown, UsageError
from orchestrator.simulation.network.line import LineTroubles
from tests.support.servers.lines import METER_UNIT, served_line
from tests.support.servers.networks import writes_of

MAKES = ("sungrow-sh", "huawei-luna")
QUICK = LineOptions((1, METER_UNIT), timeout_s=3.0)
ALL = LineOptions((1, 2, 3, 4, METER_UNIT), timeout_s=1.0)


def scanned(port: Path, baud_rates: tuple[int, ...] = (115200,), options: LineOptions = QUICK) -> ScanReport:
    where = line_endpoints(str(port), baud_rates, "N")
    with watch("scanning", len(where) * len(options.units)) as progress:
        return scan_line(where, options, progress)


@pytest.mark.long
def test_the_devices_of_a_line_are_found_with_unit_speed_and_make(tmp_path: Path) -> None:
    port = tmp_path / "line"
    with served_line(port, MAKES) as site:
        found = scanned(port, (9600, 115200), ALL)
        assert set(writes_of(site).values()) == {0}

    assert [(device.unit_id, device.driver, device.kind) for device in found.devices] == [
        (1, "sungrow-sh", Kind.HYBRID),
        (2, "huawei-luna", Kind.HYBRID),
        (3, "sunspec", Kind.INVERTER),
        (METER_UNIT, "sunspec", Kind.METER),
    ]
    assert {device.endpoint for device in found.devices} == {LineEndpoint(SerialWay(str(port), 115200))}
    assert found.remarks == ()


def test_no_other_speed_is_tried_after_something_has_answered_unless_it_is_asked_for(tmp_path: Path) -> None:
    port = tmp_path / "line"
    where = line_endpoints(str(port), (115200, 9600), "N")
    with served_line(port):
        for all_ways, units in ((False, 1), (True, 2)):
            lines = Lines("scanning", 2)
            scan_line(where, LineOptions((METER_UNIT,), 0.4, all_ways), lines)
            assert lines.done == units


def test_the_draft_of_a_line_is_a_site_on_that_line(tmp_path: Path) -> None:
    port = tmp_path / "line"
    with served_line(port):
        found = scanned(port)
    draft = parse_config(draft_site(found, target=str(port), day=date(2030, 1, 31)), environ={})

    assert {device.way for device in draft.modbus_devices()} == {SerialWay(str(port), 115200)}
    assert [inverter.name for inverter in draft.inverters]
    assert all(each.expected_serial for each in draft.inverters if isinstance(each, InverterConfig))


def test_devices_are_found_also_where_the_adapter_echoes(tmp_path: Path) -> None:
    port = tmp_path / "line"
    with served_line(port) as site:
        site.set_line_troubles(str(port), LineTroubles(echo=True))
        found = scanned(port)

    assert [device.unit_id for device in found.devices] == [1, METER_UNIT]


def test_a_line_on_which_nobody_answers_has_no_devices_and_each_way_is_tried(tmp_path: Path) -> None:
    port = tmp_path / "line"
    with served_line(port) as site:
        found = scanned(port, (115200, 9600), LineOptions((7,), timeout_s=0.05))
        requests = site.line(str(port)).requests

    assert found == ScanReport()
    assert {request.unit for request in requests} == {7}


def test_a_port_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LinkDown, match="no such port"):
        scanned(tmp_path / "none")


def test_ways_are_all_parities_of_a_speed_then_the_next() -> None:
    ways = [each.port for each in line_endpoints("/dev/x", (9600, 19200), "n,E")]

    assert ways == ["9600 8N1", "9600 8E1", "19200 8N1", "19200 8E1"]
    with pytest.raises(UsageError, match="'X' is no parity: say some of N,E,O"):
        line_endpoints("/dev/x", (9600,), "N,X")
