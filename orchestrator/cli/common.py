"""What all commands share: exit codes, how a command is added, and the version."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeAlias

from orchestrator import __version__

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130
SubCommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_command(
    commands: SubCommands, name: str, text: str, command: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """Add `orchestrator NAME`, explained by `text`; `command` carries it out and returns the exit code."""
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(command=command)
    return parser


def add_site_command(
    commands: SubCommands, name: str, text: str, command: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """The same for a command of a site: its first argument is the site.yaml."""
    parser = add_command(commands, name, text, command)
    parser.add_argument("site", metavar="SITE.yaml", help="the description of the site")
    return parser


def program_version() -> str:
    """The version of this program."""
    return __version__
