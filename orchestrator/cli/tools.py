"""The commands for a site that is not built yet: they look at devices, and need no site.yaml.

As in `main`: what a command needs is loaded when it is used.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from orchestrator.cli.common import DONE, FAILED, SubCommands, add_command, program_version
from orchestrator.cli.csip import add_csip
from orchestrator.cli.init import add_init
from orchestrator.cli.scan import add_scan
from orchestrator.cli.values import baud, port, require_new, revert, seconds, unit, write_new
from orchestrator.commissioning.scan_targets import (
    PARITIES,
    PORTS,
    Endpoint,
    LineEndpoint,
    Place,
    is_line,
    split_host,
)
from orchestrator.devices.link.ways import SerialWay
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.commissioning.report import CommissionReport
    from orchestrator.devices.makes.schema import Profile


def add_tools(commands: SubCommands) -> None:
    """Add the commands that look at devices."""
    add_scan(commands)
    add_init(commands)
    _add_dump(commands)
    _add_serve(commands)
    _add_commission(commands)
    add_csip(commands)


def _add_dump(commands: SubCommands) -> None:
    text = "save all registers of a device as JSON, without its serial number; reads only"
    parser = add_command(commands, "dump", text, _dump)
    target = "the port is that of the make, or 502, where none is given; or a serial port, such as /dev/ttyUSB0"
    parser.add_argument("target", metavar="HOST[:PORT]", help=target)
    parser.add_argument("--driver", metavar="NAME", help="read what this make has, not a SunSpec map")
    parser.add_argument("--profile", metavar="FILE.yaml", help="the same for a make of your own")
    parser.add_argument("--unit", metavar="N", type=unit, help="the Modbus unit (default: that of the make, or 1)")
    parser.add_argument("--baud-rate", metavar="N", type=baud, default=9600, help="of a serial line (default: 9600)")
    parser.add_argument("--parity", choices=PARITIES, default="N", help="of a serial line (default: N)")
    parser.add_argument("--stop-bits", type=int, choices=(1, 2), default=1, help="of a serial line (default: 1)")
    parser.add_argument("--timeout", metavar="S", type=seconds, help="seconds for a reply (default: 3, or as the make)")
    parser.add_argument("--with-serial", action="store_true", help="keep serial numbers and MAC addresses")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write (default: standard output)")


def _dump(options: argparse.Namespace) -> int:
    require_new(options.output)
    if options.driver is not None or options.profile is not None:
        return _dump_make(options)
    from actors.commands.dump import dump  # noqa: PLC0415
    from actors.commands.progress import watch  # noqa: PLC0415
    from orchestrator.commissioning.image_file import to_json  # noqa: PLC0415
    from orchestrator.commissioning.register_image import described  # noqa: PLC0415

    with watch(f"reading {options.target}", 0) as progress:
        unit_id = 1 if options.unit is None else options.unit
        image = dump(_place(options, PORTS[0]), unit_id, options.timeout or 3.0, progress)
    image = described(image, captured=date.today().isoformat(), with_serial=options.with_serial)
    if options.output is None:
        print(to_json(image), end="")
        return DONE
    write_new(options.output, to_json(image))
    print(f"written: {options.output}; {len(image.registers())} of {len(image.words)} words of {image.device}")
    return DONE


def _place(options: argparse.Namespace, port_else: int) -> Place:
    """Where a device is that is looked at alone."""
    if is_line(options.target):
        return LineEndpoint(SerialWay(options.target, options.baud_rate, options.parity, options.stop_bits))
    host, port = split_host(options.target)
    return Endpoint(host, port or port_else)


def _dump_make(options: argparse.Namespace) -> int:
    from actors.commands.dump import dump_make  # noqa: PLC0415
    from orchestrator.devices.makes.image import to_json, without_serial  # noqa: PLC0415

    profile = _profile(options)
    unit_id = profile.link.unit_id if options.unit is None else options.unit
    timeout_s = options.timeout or max(3.0, profile.link.timeout_s)
    image = dump_make(_place(options, profile.link.port), unit_id, timeout_s, profile)
    image = dataclasses.replace(image, captured=date.today().isoformat())
    image = image if options.with_serial else without_serial(profile, image)
    if options.output is None:
        print(to_json(image), end="")
        return DONE
    write_new(options.output, to_json(image))
    refused = f"; refused: {', '.join(image.refused)}" if image.refused else ""
    print(f"written: {options.output}; {len(image.words)} words of {profile.name}{refused}")
    return DONE


def _profile(options: argparse.Namespace) -> Profile:
    """Raises UsageError where there is no such make, ConfigError where a file is none."""
    from orchestrator.devices.makes.choice import known_driver  # noqa: PLC0415
    from orchestrator.devices.makes.file import PROFILE_YAML  # noqa: PLC0415
    from orchestrator.devices.makes.library import load_profile  # noqa: PLC0415

    if options.driver is not None and options.profile is not None:
        raise UsageError("--driver or --profile, and not both")
    if options.profile is not None:
        return PROFILE_YAML.load(Path(options.profile), {})
    try:
        return load_profile(known_driver(options.driver))
    except ValueError as error:
        raise UsageError(f"--driver {error}") from None
    except KeyError:
        raise UsageError(f"{options.driver} is no make with a profile; leave --driver out for a SunSpec map") from None


def _add_serve(commands: SubCommands) -> None:
    text = "serve a register image (see dump) as a Modbus TCP device until Ctrl-C"
    parser = add_command(commands, "serve", text, _serve)
    parser.add_argument("image", metavar="IMAGE.json", help="what `dump` wrote")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: %(default)s)")
    parser.add_argument("--port", metavar="N", type=port, default=0, help="the port; 0, the default, takes a free one")
    parser.add_argument("--unit", metavar="N", type=unit, help="the Modbus unit (default: that of the image)")
    parser.add_argument("--writable", action="store_true", help="take writes, in memory only")


def _serve(options: argparse.Namespace) -> int:
    from actors.commands.image_server import ImageServer  # noqa: PLC0415
    from actors.commands.run.run import wait_for_signal  # noqa: PLC0415
    from orchestrator.commissioning.image_file import from_json  # noqa: PLC0415

    image = from_json(_read(options.image))
    server = ImageServer(image, host=options.host, port=options.port, unit_id=options.unit, writable=options.writable)
    with server:
        unit = "any unit" if server.unit_id is None else f"unit {server.unit_id}"
        print(
            f"serving {image.device or options.image} at {options.host}:{server.port} {unit}; Ctrl-C ends", flush=True
        )
        wait_for_signal()
    return DONE


def _add_commission(commands: SubCommands) -> None:
    text = "try each inverter of SITE.yaml with small steps, and leave it as it was found"
    parser = add_command(commands, "commission", text, _commission)
    parser.add_argument("site", metavar="SITE.yaml", help="the description of the site")
    parser.add_argument("--inverter", metavar="NAME", help="this inverter only")
    parser.add_argument("--revert", metavar="S", type=revert, default=30.0, help="revert time in s (default: 30)")
    parser.add_argument("--yes", action="store_true", help="do not ask before each inverter")
    parser.add_argument("--report", metavar="FILE", help="write the result as a page (HTML)")


def _commission(options: argparse.Namespace) -> int:
    from orchestrator.config.file import load_config  # noqa: PLC0415 - it takes a while to load

    config = load_config(options.site)
    names = [inverter.name for inverter in config.inverters]
    if options.inverter not in (None, *names):
        raise UsageError(f"there is no inverter {options.inverter!r}; there is: {', '.join(names)}")
    if not (options.yes or sys.stdin.isatty()):
        raise UsageError("nobody can be asked before devices are written to: say --yes")
    require_new(options.report)
    from rich.console import Console  # noqa: PLC0415

    from actors.commands.commission.commission import CommissionOptions, commission  # noqa: PLC0415
    from actors.commands.progress import Lines  # noqa: PLC0415
    from orchestrator.commissioning.report import summary, table  # noqa: PLC0415
    from orchestrator.commissioning.trial import Timing  # noqa: PLC0415

    wanted = CommissionOptions(_yes if options.yes else _ask, Timing(revert_s=options.revert), options.inverter)
    result = commission(config, wanted, Lines("steps", 2 * (1 if options.inverter else len(names))))
    Console().print(table(result))
    print(summary(result))
    if options.report is not None:
        write_new(options.report, _commission_page(result, config.site.timezone))
        print(f"written: {options.report}")
    return DONE if result.is_safe else FAILED


def _commission_page(result: CommissionReport, timezone: str) -> str:
    from orchestrator.commissioning.report import TEMPLATE, page_values  # noqa: PLC0415
    from orchestrator.report.page import Imprint, render  # noqa: PLC0415

    imprint = Imprint(program_version(), datetime.now(ZoneInfo(timezone)), timezone)
    return render(TEMPLATE, f"{result.site}: commissioning", imprint, page_values(result))


def _yes(question: str) -> bool:
    print(question, "yes (--yes)", file=sys.stderr)
    return True


def _ask(question: str) -> bool:
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as trouble:
        raise UsageError(f"{path} cannot be read: {getattr(trouble, 'strerror', None) or trouble}") from trouble
