"""The page that makes a site.yaml, for the commands that offer it. What it needs is loaded when it is used."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli.scan import search, usual_search
from orchestrator.commissioning.scan_targets import split_host
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.commissioning.drafts.chosen_site import Served


def no_site_yet(file: str) -> bool:
    """Whether there is no such file, or one that has comments only."""
    from actors.commands.init.site_file import is_no_site_yet  # noqa: PLC0415

    return is_no_site_yet(Path(file))


def served_at(text: str | None) -> Served:
    """HOST:PORT, or HOST for the usual port; None: where it is served when nobody says where. Raises UsageError."""
    from orchestrator.commissioning.drafts.chosen_site import Served  # noqa: PLC0415

    if text is None:
        return Served()
    host, port = split_host(text)
    return Served(host, port) if port else Served(host)


def set_up(
    file: Path,
    *,
    served: Served | None = None,
    state_dir: str | None = None,
    options: argparse.Namespace | None = None,
) -> bool:
    """Serve the page until the site that was written is to run: True; False where a signal has ended it.

    `options` say how devices are looked for. Raises UsageError and other OrchestratorErrors.
    """
    from actors.commands.init.page import PageOptions, set_up_by_page  # noqa: PLC0415
    from actors.commands.init.page_search import Progress  # noqa: PLC0415
    from orchestrator.commissioning.scan_report import ScanReport  # noqa: PLC0415

    wanted = usual_search() if options is None else options

    def look(target: str, progress: Progress) -> ScanReport:
        return search(wanted, target, progress)

    if file.is_dir():
        raise UsageError(f"{file} is a folder; say the file in it, such as {file / 'site.yaml'}")
    return set_up_by_page(PageOptions(file, served or served_at(None), state_dir), look, say)


def say(text: str) -> None:
    """A line for people; results are not on standard error, and this is none."""
    print(text, file=sys.stderr, flush=True)
