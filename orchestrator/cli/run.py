"""`orchestrator run`: the plant of a site.yaml; at a terminal, where there is none yet, first the page to make one.

As in `main`: what a command needs is loaded when it is used.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from shutil import which

from orchestrator.cli.common import DONE, FAILED, INTERRUPTED, SubCommands, add_site_command, program_version
from orchestrator.cli.set_up import no_site_yet, set_up
from orchestrator.config.file import load_config
from orchestrator.errors import UsageError


def add_run(commands: SubCommands) -> None:
    """Add `orchestrator run`."""
    run = add_site_command(commands, "run", "run the plant until Ctrl-C or SIGTERM", _run)
    run.add_argument("--simulate", action="store_true", help="start the virtual devices of SITE.yaml on this machine")
    run.add_argument("--broker", action="store_true", help="start an MQTT broker, unless one answers on its port")
    run.add_argument("--demo", action="store_true", help="both of them")
    run.add_argument("--record", metavar="FILE", help="add every cycle to FILE, for `explain --recording FILE`")
    run.add_argument("--log-format", choices=("human", "json"), help="in place of logging.format of SITE.yaml")


def _run(options: argparse.Namespace) -> int:
    is_virtual = options.simulate or options.demo
    if not is_virtual and no_site_yet(options.site):
        if not sys.stdin.isatty():
            raise UsageError(
                f"{options.site}: there is no site yet; make one: orchestrator init {options.site}, "
                f"or in a browser: orchestrator init --page {options.site}"
            )
        if not set_up(Path(options.site)):
            return INTERRUPTED
    return run_site_file(options)


def run_site_file(options: argparse.Namespace) -> int:
    """Run the site; `options` are those of `add_run`."""
    config = load_config(options.site)
    from actors.commands.run.run import RunOptions, run_site  # noqa: PLC0415

    wanted = RunOptions(
        site_file=options.site,
        simulate=options.simulate or options.demo,
        broker=options.broker or options.demo,
        version=program_version(),
        program=_program(),
        log_format=options.log_format,
        record=options.record,
    )
    return DONE if run_site(config, wanted) else FAILED


def plain_run(site: str) -> argparse.Namespace:
    """The options of `orchestrator run SITE` and nothing more."""
    parser = argparse.ArgumentParser()
    add_run(parser.add_subparsers())
    return parser.parse_args(["run", site])


def _program() -> str:
    """What to type to run this program once more."""
    typed = Path(sys.argv[0])
    return typed.name if which(typed.name) == str(typed) else str(typed)
