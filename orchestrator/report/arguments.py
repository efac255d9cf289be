"""The arguments of `report` and `simulate`, and what they mean."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from orchestrator.errors import UsageError
from orchestrator.report.period import USUAL_DAYS
from orchestrator.simulation.rehearsal.site import Weather

MOST_HOURS: Final = 744.0
BESIDE_THE_PAGE: Final = "beside"


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """`orchestrator report SITE.yaml --from DATE --to DATE --out FILE.html --csv [FILE.csv]`."""
    days = "as 2026-01-31, in the time zone of the site"
    parser.add_argument("--from", dest="begin", metavar="DATE", help=f"first day, {days}; usual: {USUAL_DAYS} days")
    parser.add_argument("--to", dest="end", metavar="DATE", help=f"last day, {days}; usual: today")
    parser.add_argument("--out", metavar="FILE.html", default="report.html", help="the page (usual: report.html)")
    _add_csv(parser, "one line for each excess")


def add_simulate_arguments(parser: argparse.ArgumentParser) -> None:
    """`orchestrator simulate SITE.yaml --hours 24 --weather clear --report FILE.html --csv [FILE.csv]`."""
    parser.add_argument("--hours", type=_hours, default=24.0, help="how long, from midnight on (usual: 24)")
    weathers = [weather.value for weather in Weather]
    parser.add_argument("--weather", choices=weathers, default=Weather.CLEAR.value, help="usual: clear")
    parser.add_argument("--report", metavar="FILE.html", help="write a page with plots")
    _add_csv(parser, "the curves of the plots")


def csv_path(csv: str | None, page: str | None) -> Path | None:
    """Where the CSV goes: the file that was named, else beside the page. Raises UsageError where there is neither."""
    if csv is None:
        return None
    if csv != BESIDE_THE_PAGE:
        return Path(csv)
    if page is None:
        raise UsageError("--csv needs the name of a file, or --report to write it beside")
    return Path(page).with_suffix(".csv")


def _add_csv(parser: argparse.ArgumentParser, what: str) -> None:
    text = f"write {what} as CSV; without a name beside the page"
    parser.add_argument("--csv", metavar="FILE.csv", nargs="?", const=BESIDE_THE_PAGE, help=text)


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= MOST_HOURS:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and at most {MOST_HOURS:g} (got {text!r})")
    return hours
