"""`orchestrator scan /dev/ttyUSB0`: which units of a line answer, and at which speed. It reads, and never writes.

Each way in which a line may be set is tried in turn: every unit is asked for two things that cost little, and whatever
comes back as a sound frame, be it a refusal, is a device. Only then is it asked who it is. Devices of one line have one
speed: after the first way at which something answers no other is tried, unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from actors.clock import RealClock
from actors.commands.progress import Watch
from actors.commands.scan.scan import Findings, Scanner, ScanOptions
from actors.link import WireLink
from actors.observer import NoObserver
from actors.wire.wires import wire_to
from orchestrator.commissioning.scan_report import FoundDevice, Remark, ScanReport, report
from orchestrator.commissioning.scan_targets import LineEndpoint
from orchestrator.errors import DeviceError, LinkDown, LinkError, RequestRefused
from orchestrator.reason import because

DISCOVERY_TIMEOUT_S: Final = 1.0
"""Who has answered may take longer for what follows."""
SUNSPEC_AT: Final = 40000
METER_AT: Final = 0
"""Where meters without SunSpec have their first value, as an input register."""


@dataclass(frozen=True, slots=True)
class LineOptions:
    """`timeout_s` is how long a unit may take to answer. `all_ways`: go on after something has answered."""

    units: tuple[int, ...]
    timeout_s: float
    all_ways: bool = False


def scan_line(endpoints: Sequence[LineEndpoint], options: LineOptions, watch: Watch) -> ScanReport:
    """Every device of a line. `watch` counts units. Raises LinkDown where the port cannot be opened."""
    devices: list[FoundDevice] = []
    remarks: list[Remark] = []
    for endpoint in endpoints:
        found, said = _look_at(endpoint, options, watch)
        devices += found
        remarks += said
        if (found or said) and not options.all_ways:
            break
    return report(devices, remarks)


def _look_at(endpoint: LineEndpoint, options: LineOptions, watch: Watch) -> Findings:
    units = _answering(endpoint, options, watch)
    devices: list[FoundDevice] = []
    remarks: list[Remark] = []
    link = _link(endpoint, max(options.timeout_s, DISCOVERY_TIMEOUT_S))
    scanner = Scanner(ScanOptions(units), watch)
    try:
        for unit_id in units:
            try:
                devices += scanner.ask(endpoint, unit_id, link)
            except DeviceError as trouble:
                unknown = Remark(endpoint, (unit_id,), because("answers_unknown", what=trouble.why))
                remarks.append(scanner.perhaps_a_meter(endpoint, unit_id, link) or unknown)
    finally:
        link.close()
    return devices, remarks


def _answering(endpoint: LineEndpoint, options: LineOptions, watch: Watch) -> tuple[int, ...]:
    """The units from which anything comes."""
    link = _link(endpoint, options.timeout_s)
    found: list[int] = []
    try:
        for unit_id in options.units:
            if _answers(link, unit_id):
                watch.say(f"unit {unit_id} answers at {endpoint}")
                found.append(unit_id)
            watch.advance()
    finally:
        link.close()
    return tuple(found)


def _answers(link: WireLink, unit_id: int) -> bool:
    for address, inputs in ((SUNSPEC_AT, False), (METER_AT, True)):
        try:
            link.read(unit_id, address, 2, "scan", inputs=inputs)
        except RequestRefused:
            return True
        except LinkDown:
            raise
        except LinkError:
            continue
        except DeviceError:
            return True
        return True
    return False


def _link(endpoint: LineEndpoint, timeout_s: float) -> WireLink:
    return WireLink(wire_to(endpoint.way), timeout_s, RealClock(), NoObserver())
