"""The commands for a site that is not built yet: they look at devices, and need no site.yaml.

As in `cli.py`: what a command needs is loaded when it is used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.scan_targets import (
    LARGE_FROM,
    PORT_RANGE,
    PORTS,
    UNIT_RANGE,
    UNITS,
    addresses,
    endpoints,
    numbers,
)

if TYPE_CHECKING:
    from orchestrator.scan_report import ScanReport

DONE, FAILED = 0, 1
SubCommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_tools(commands: SubCommands) -> None:
    """Add the commands of this file."""
    _add_scan(commands)


def _add(
    commands: SubCommands, name: str, text: str, command: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(command=command)
    return parser


def _add_scan(commands: SubCommands) -> None:
    text = "find SunSpec inverters and meters, and draft a site.yaml of them; reads only"
    parser = _add(commands, "scan", text, _scan)
    parser.add_argument("target", metavar="TARGET", help="HOST, HOST:PORT or NETWORK/BITS, such as 192.168.1.0/24")
    parser.add_argument("--ports", metavar="LIST", default=_text(PORTS), help="such as 502,1502 (default: %(default)s)")
    parser.add_argument("--units", metavar="LIST", default=_text(UNITS), help="such as 1-3,126 (default: %(default)s)")
    parser.add_argument("--timeout", metavar="S", type=_seconds, default=1.0, help="seconds for a reply (default: 1)")
    parser.add_argument("--connections", metavar="N", type=_count, default=32, help="how many at a time (default: 32)")
    parser.add_argument("--yes", action="store_true", help=f"scan a network of more than {LARGE_FROM} addresses")
    parser.add_argument("-o", "--output", metavar="FILE", help="write a draft site.yaml")


def _scan(options: argparse.Namespace) -> int:
    where = endpoints(options.target, numbers(options.ports, PORT_RANGE, "port"))
    units = numbers(options.units, UNIT_RANGE, "unit")
    if addresses(options.target) > LARGE_FROM and not options.yes:
        raise UsageError(f"{options.target} has {addresses(options.target)} addresses; say --yes to scan them all")
    _require_new(options.output)
    from rich.console import Console  # noqa: PLC0415

    from actors.progress import watch  # noqa: PLC0415
    from actors.scan import ScanOptions, scan  # noqa: PLC0415
    from orchestrator.scan_report import table  # noqa: PLC0415

    with watch(f"scanning {options.target}", len(where)) as progress:
        found = scan(where, ScanOptions(units, options.timeout, options.connections), progress)
    for remark in found.remarks:
        print(remark, file=sys.stderr)
    if not found.devices:
        print(f"no SunSpec device found at {options.target}", file=sys.stderr)
        return FAILED
    Console().print(table(found))
    for device in found.again:
        print(f"{device.address}: {device.title} once more, with the serial number of another one")
    if options.output is not None:
        _write_draft(found, options)
    return DONE


def _write_draft(found: ScanReport, options: argparse.Namespace) -> None:
    from orchestrator.draft_site import draft_site  # noqa: PLC0415

    try:
        text = draft_site(found, target=options.target, day=date.today())
    except ValueError as error:
        raise NotWritten(f"{options.output} is not written: {error}") from None
    _write(options.output, text)
    print(f"written: {options.output}; read its comments, then: orchestrator check {options.output}")


class NotWritten(OrchestratorError):
    """A file that was asked for cannot be written."""


def _write(path: str, text: str) -> None:
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as trouble:
        raise NotWritten(f"{path} cannot be written: {trouble.strerror or trouble}") from trouble


def _require_new(path: str | None) -> None:
    """Before anything takes its time: never overwrite a file."""
    if path is not None and Path(path).exists():
        raise UsageError(f"{path} exists; it is not overwritten")


def _text(values: tuple[int, ...]) -> str:
    return ",".join(map(str, values))


def _seconds(text: str) -> float:
    """A time of 0.05 to 60 s."""
    return _within(float(text), 0.05, 60.0)


def _count(text: str) -> int:
    """A number of 1 to 200: more connections than that run into limits of the system."""
    return int(_within(int(text), 1, 200))


def _within(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"must be from {low:g} to {high:g}")
    return value
