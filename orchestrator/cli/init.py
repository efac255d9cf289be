"""`orchestrator init`: a new site.yaml by questions, or without any where the answers are given.

As in `main`: what a command needs is loaded when it is used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli.common import DONE, FAILED, INTERRUPTED, SubCommands, add_command
from orchestrator.cli.run import plain_run, run_site_file
from orchestrator.cli.scan import add_search_arguments, search
from orchestrator.cli.set_up import no_site_yet, served_at, set_up
from orchestrator.commissioning.scan_targets import LARGE_FROM, addresses, is_line
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from actors.commands.init.dialogue import Dialogue
    from actors.commands.init.init import InitOptions
    from actors.commands.init.questions import Given
    from orchestrator.commissioning.scan_report import ScanReport


def add_init(commands: SubCommands) -> None:
    """Add `orchestrator init`."""
    text = "make a site.yaml: find the devices, ask what only you know, check the result; reads only"
    parser = add_command(commands, "init", text, _init)
    parser.add_argument("file", metavar="SITE.yaml", nargs="?", default="site.yaml", help="default: %(default)s")
    target = "HOST, HOST:PORT, NETWORK/BITS or a serial port; may be given several times"
    parser.add_argument("--scan", metavar="TARGET", action="append", default=[], help=target)
    add_search_arguments(parser)
    _add_devices(parser)
    _add_site(parser)
    parser.add_argument("--yes", action="store_true", help="ask nothing: what is not given is as it is proposed")
    page = "ask in a browser in place of this terminal; then SITE.yaml can be run from there, in shadow mode"
    parser.add_argument("--page", action="store_true", help=page)
    listen = "where that page is, and later that of the site (default: 127.0.0.1:9464)"
    parser.add_argument("--listen", metavar="HOST[:PORT]", help=listen)
    replace = "make a new file where there is one; the old one is kept beside it"
    parser.add_argument("--replace", action="store_true", default=None, help=replace)


def _add_devices(parser: argparse.ArgumentParser) -> None:
    only = "which inverters of the list: all, or numbers such as 1,3"
    parser.add_argument("--only", metavar="NUMBERS", help=only)
    parser.add_argument("--names", metavar="LIST", help="their names, such as east,west,roof")
    rating = "AC rating of one that does not say it, such as east=5000"
    parser.add_argument("--rating", metavar="NAME=W", action="append", default=[], help=rating)
    capacity = "capacity of a battery that does not say it, such as east=10kWh"
    parser.add_argument("--capacity", metavar="NAME=WH", action="append", default=[], help=capacity)
    meter = "its number in the list, 'HOST[:PORT][/UNIT] DRIVER', or none"
    parser.add_argument("--meter", metavar="METER", help=meter)
    parser.add_argument("--sign", metavar="SIGN", help="of the meter: import_positive, export_positive or auto")


def _add_site(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", metavar="TEXT", help="what the site is called")
    parser.add_argument("--timezone", metavar="ZONE", help="such as Europe/Berlin")
    parser.add_argument("--export-limit", metavar="W", help="most export, such as 5000, 5kW or none; proposed: 0")
    parser.add_argument("--import-limit", metavar="W", help="most import, or none")
    parser.add_argument(
        "--soc-min", metavar="PERCENT", help="batteries are not discharged below, or none; proposed: 10"
    )
    batteries = argparse.BooleanOptionalAction
    parser.add_argument("--batteries", action=batteries, help="command the batteries too (or PV only)")
    shadow = "begin in shadow mode, where nothing is written to a device"
    parser.add_argument("--shadow", action=argparse.BooleanOptionalAction, help=shadow)
    state = (
        "where it keeps what must outlive a restart (default: ./state, /var/lib/orchestrator/state for a file in /etc)"
    )
    parser.add_argument("--state-dir", metavar="FOLDER", help=state)


def _init(options: argparse.Namespace) -> int:
    if options.page:
        return _by_page(options)
    if not (options.yes or sys.stdin.isatty()):
        raise UsageError("nobody can be asked here: say --yes, and what is not as it is proposed by options")
    from rich.console import Console  # noqa: PLC0415

    from actors.commands.init.dialogue import Asked, Unasked  # noqa: PLC0415
    from actors.commands.init.init import init  # noqa: PLC0415

    def look(target: str, dialogue: Dialogue) -> ScanReport:
        return _look(options, target, dialogue)

    console = Console()
    try:
        written = init(_wanted(options), Unasked(console) if options.yes else Asked(console), look, date.today())
    except (KeyboardInterrupt, EOFError):
        print("\ninterrupted; nothing is written", file=sys.stderr)
        return INTERRUPTED
    return _checked(options.file) if written else FAILED


def _by_page(options: argparse.Namespace) -> int:
    """The page; who starts the site there has it run in this process."""
    served = served_at(options.listen)
    if set_up(Path(options.file), served=served, state_dir=options.state_dir, options=options):
        return run_site_file(plain_run(options.file))
    return FAILED if no_site_yet(options.file) else DONE


def _checked(file: str) -> int:
    """Check the file as `orchestrator check` does, and say how it goes on."""
    from orchestrator.config.file import load_config  # noqa: PLC0415
    from orchestrator.config.warnings import warnings  # noqa: PLC0415

    config = load_config(file)
    for warning in warnings(config):
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{file} is fine. Now run it: orchestrator run {file}")
    return DONE


def _look(options: argparse.Namespace, target: str, dialogue: Dialogue) -> ScanReport:
    large = 0 if is_line(target) else addresses(target)
    if large > LARGE_FROM and not dialogue.agree(f"{target} has {large} addresses. Look at all of them?", default=True):
        raise UsageError("then say a smaller network, or one address")
    return search(options, target)


def _wanted(options: argparse.Namespace) -> InitOptions:
    from actors.commands.init.init import InitOptions  # noqa: PLC0415

    return InitOptions(
        file=Path(options.file),
        targets=tuple(options.scan),
        name=options.name,
        timezone=options.timezone,
        state_dir=options.state_dir,
        served=served_at(options.listen),
        replaces=options.replace,
        given=_given(options),
    )


def _given(options: argparse.Namespace) -> Given:
    from actors.commands.init.questions import Given  # noqa: PLC0415

    return Given(
        only=options.only,
        names=tuple(name.strip() for name in options.names.split(",")) if options.names else (),
        ratings=_by_name(options.rating, "--rating"),
        capacities=_by_name(options.capacity, "--capacity"),
        meter=options.meter,
        sign=options.sign,
        export_limit=options.export_limit,
        import_limit=options.import_limit,
        soc_min=options.soc_min,
        batteries=options.batteries,
        controls=None if options.shadow is None else not options.shadow,
    )


def _by_name(pairs: Sequence[str], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise UsageError(f"{option} {pair}: say NAME=VALUE, such as east=5000")
        found[name] = value
    return found
