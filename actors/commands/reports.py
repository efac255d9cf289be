"""`orchestrator report` and `orchestrator simulate`: read the ledger, show how far it is, write files."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from actors.commands.rehearsals import rehearse_side_by_side
from actors.files.ledger_file import FILE_NAME, read_excesses
from orchestrator.config.sections import SiteConfig
from orchestrator.errors import OrchestratorError
from orchestrator.ledger.excess import RULES_S, longer_than
from orchestrator.report.arguments import csv_path
from orchestrator.report.compliance import compliance_csv, compliance_page
from orchestrator.report.page import Imprint
from orchestrator.report.period import period_of
from orchestrator.report.rehearsal import Rehearsal, comparison, rehearsal_csv, rehearsal_page
from orchestrator.simulation.rehearsal.day import WAYS, Rehearsed, Way
from orchestrator.simulation.rehearsal.site import RehearsalSite, Weather, site_to_rehearse

REDRAW_EVERY_S = 0.2


class NotWritten(OrchestratorError):
    """A file cannot be written; the text says which and why."""


def report(config: SiteConfig, *, begin: str | None, end: str | None, page: str, csv: str | None, version: str) -> str:
    """Write the page (and the CSV) of the ledger; what there is to say on a terminal.

    `begin` and `end` are ISO dates in the time zone of the site. Raises UsageError, LedgerUnreadable and NotWritten.
    """
    now = datetime.now(ZoneInfo(config.site.timezone))
    period = period_of(begin, end, ZoneInfo(config.site.timezone), now.date())
    csv_file = csv_path(csv, page)
    path = Path(config.control.state_dir) / FILE_NAME
    excesses = read_excesses(path, period.begin, period.end)
    _write(Path(page), compliance_page(config.site.name, excesses, period, _imprint(config, now, version)))
    if csv_file is not None:
        _write(csv_file, compliance_csv(excesses, period))
    counts = ", ".join(f"{longer_than(excesses, rule_s)} longer than {rule_s:g} s" for rule_s in RULES_S)
    where = path if path.exists() else f"{path} (there is no such file: nothing was recorded yet)"
    return f"{len(excesses)} excesses over limits: {counts}\nledger: {where}\n{_written(Path(page), csv_file)}"


def simulate(
    config: SiteConfig, *, hours: float, weather: str, page: str | None, csv: str | None, version: str
) -> None:
    """Rehearse the site with a progress bar, print the summary, write the page and the CSV.

    Raises UsageError and NotWritten.
    """
    page_file, csv_file = Path(page) if page else None, csv_path(csv, page)
    _check_places(page_file, csv_file)
    now = datetime.now(ZoneInfo(config.site.timezone))
    begin = now.replace(hour=0, minute=0, second=0, microsecond=0)
    site = site_to_rehearse(config, Weather(weather))
    rehearsal = Rehearsal(site.config, weather, hours, begin, site.assumptions, _rehearse_all(site, hours, begin))
    if page_file is not None:
        _write(page_file, rehearsal_page(rehearsal, _imprint(config, now, version)))
    if csv_file is not None:
        _write(csv_file, rehearsal_csv(rehearsal))
    _print_summary(rehearsal)
    if page_file or csv_file:
        print(_written(page_file, csv_file))


def _rehearse_all(site: RehearsalSite, hours: float, begin: datetime) -> tuple[Rehearsed, ...]:
    with _progress(hours * 3600) as passed:
        return rehearse_side_by_side(site.config, hours=hours, begin=begin, passed=passed)


@contextmanager
def _progress(seconds: float) -> Iterator[Callable[[Way, float], None]]:
    """One bar for each way on a terminal, one line for each elsewhere; both on standard error."""
    if not sys.stderr.isatty():
        for way in WAYS:
            print(f"rehearsing: {way.title}", file=sys.stderr, flush=True)
        yield lambda _way, _passed_s: None
        return
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks = {way.name: progress.add_task(way.title, total=seconds) for way in WAYS}
        yield lambda way, passed_s: progress.advance(tasks[way.name], passed_s)


def _print_summary(rehearsal: Rehearsal) -> None:
    table = Table(box=SIMPLE_HEAD, title=f"{rehearsal.config.site.name}: {rehearsal.hours:g} h, {rehearsal.weather}")
    table.add_column()
    for each in rehearsal.ways:
        table.add_column(each.way.title, justify="right")
    for name, values in comparison(rehearsal.ways):
        table.add_row(name, *values)
    console = Console()
    console.print(table)
    for text in rehearsal.assumptions:
        console.print(f"- {text}", markup=False, highlight=False)


def _imprint(config: SiteConfig, now: datetime, version: str) -> Imprint:
    return Imprint(version, now, config.site.timezone)


def _check_places(*paths: Path | None) -> None:
    """Better said before minutes of computing than after."""
    for path in paths:
        if path is None:
            continue
        folder = path.absolute().parent
        if not folder.is_dir():
            raise NotWritten(f"{path} cannot be written: there is no folder {folder}")
        if path.is_dir():
            raise NotWritten(f"{path} cannot be written: it is a folder")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise NotWritten(f"{path} cannot be written: no permission")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotWritten(f"{path} cannot be written: {error.strerror or error}") from error


def _written(*paths: Path | None) -> str:
    return "written: " + ", ".join(str(path) for path in paths if path)
