"""`orchestrator scan`, and how devices are looked for by whoever needs to know what is there.

As in `main`: what a command needs is loaded when it is used.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from typing import TYPE_CHECKING

from orchestrator.cli.common import DONE, FAILED, SubCommands, add_command
from orchestrator.cli.values import NotWritten, count, require_new, seconds, text_of, write_new
from orchestrator.commissioning.scan_targets import (
    BAUD_RANGE,
    BAUD_RATES,
    LARGE_FROM,
    LINE_UNIT_RANGE,
    LINE_UNITS,
    PORT_RANGE,
    PORTS,
    UNIT_RANGE,
    UNITS,
    addresses,
    endpoints,
    is_line,
    line_endpoints,
    numbers,
)
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from actors.commands.init.page_search import Progress
    from orchestrator.commissioning.scan_report import ScanReport

LINE_TIMEOUT_S = 0.3
"""Devices on a line begin to answer within 0.1 s; most of what is asked on a line is not there."""


def add_scan(commands: SubCommands) -> None:
    """Add `orchestrator scan`."""
    text = "find inverters and meters, and draft a site.yaml of them; reads only"
    parser = add_command(commands, "scan", text, _scan)
    target = "HOST, HOST:PORT, NETWORK/BITS such as 192.168.1.0/24, or a serial port such as /dev/ttyUSB0"
    parser.add_argument("target", metavar="TARGET", help=target)
    add_search_arguments(parser)
    parser.add_argument("--yes", action="store_true", help=f"scan a network of more than {LARGE_FROM} addresses")
    parser.add_argument("-o", "--output", metavar="FILE", help="write a draft site.yaml")


def add_search_arguments(parser: argparse.ArgumentParser) -> None:
    """How devices are looked for."""
    parser.add_argument(
        "--ports", metavar="LIST", default=text_of(PORTS), help="such as 502,1502 (default: %(default)s)"
    )
    units = f"such as 1-3,126 (default: {text_of(UNITS)}; on a serial line 1-{LINE_UNITS[-1]})"
    parser.add_argument("--units", metavar="LIST", help=units)
    timeout = f"seconds for a reply (default: 1; on a serial line {LINE_TIMEOUT_S:g})"
    parser.add_argument("--timeout", metavar="S", type=seconds, help=timeout)
    speeds = "speeds of a serial line, in this order (default: %(default)s)"
    parser.add_argument("--baud-rates", metavar="LIST", default=text_of(BAUD_RATES), help=speeds)
    parser.add_argument("--parities", metavar="LIST", default="N,E", help="parities of a serial line (default: N,E)")
    further = "on a serial line: try further speeds after something has answered"
    parser.add_argument("--all-speeds", action="store_true", help=further)
    parser.add_argument("--connections", metavar="N", type=count, default=32, help="how many at a time (default: 32)")


def _scan(options: argparse.Namespace) -> int:
    if not is_line(options.target) and addresses(options.target) > LARGE_FROM and not options.yes:
        raise UsageError(f"{options.target} has {addresses(options.target)} addresses; say --yes to scan them all")
    require_new(options.output)
    found = search(options, options.target)
    from rich.console import Console  # noqa: PLC0415

    from orchestrator.commissioning.scan_report import table  # noqa: PLC0415

    for remark in found.remarks:
        print(remark, file=sys.stderr)
    if not found.devices:
        print(f"no inverter and no meter found at {options.target}", file=sys.stderr)
        return FAILED
    Console().print(table(found))
    for device in found.again:
        print(f"{device.address}: {device.title} once more, with the serial number of another one")
    if options.output is not None:
        _write_draft(found, options)
    return DONE


def usual_search() -> argparse.Namespace:
    """The options of `add_search_arguments` where none was given."""
    parser = argparse.ArgumentParser()
    add_search_arguments(parser)
    return parser.parse_args([])


def search(options: argparse.Namespace, target: str, progress: Progress | None = None) -> ScanReport:
    """Look at `target`, as `add_search_arguments` says; how far it is goes to `progress`, or else to the terminal.

    Raises UsageError.
    """
    if progress is None:
        from actors.commands.progress import watch  # noqa: PLC0415

        progress = watch
    return _scan_line(options, target, progress) if is_line(target) else _scan_network(options, target, progress)


def _scan_line(options: argparse.Namespace, target: str, shown: Progress) -> ScanReport:
    where = line_endpoints(target, numbers(options.baud_rates, BAUD_RANGE, "baud rate"), options.parities)
    units = numbers(options.units, LINE_UNIT_RANGE, "unit of a line") if options.units else LINE_UNITS
    from actors.commands.scan.scan_line import LineOptions, scan_line  # noqa: PLC0415

    wanted = LineOptions(units, options.timeout or LINE_TIMEOUT_S, options.all_speeds)
    with shown(f"scanning {target}", len(where) * len(units)) as progress:
        return scan_line(where, wanted, progress)


def _scan_network(options: argparse.Namespace, target: str, shown: Progress) -> ScanReport:
    where = endpoints(target, numbers(options.ports, PORT_RANGE, "port"))
    units = numbers(options.units, UNIT_RANGE, "unit") if options.units else UNITS
    from actors.commands.scan.scan import ScanOptions, scan  # noqa: PLC0415

    with shown(f"scanning {target}", len(where)) as progress:
        return scan(where, ScanOptions(units, options.timeout or 1.0, options.connections), progress)


def _write_draft(found: ScanReport, options: argparse.Namespace) -> None:
    from orchestrator.commissioning.drafts.draft_site import draft_site  # noqa: PLC0415

    try:
        text = draft_site(found, target=options.target, day=date.today())
    except ValueError as error:
        raise NotWritten(f"{options.output} is not written: {error}") from None
    write_new(options.output, text)
    print(f"written: {options.output}; read its comments, then: orchestrator check {options.output}")
