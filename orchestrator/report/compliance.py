"""The report of the ledger: every excess over a limit in a period, counted against the rules, as a page and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import fsum
from typing import Final

from orchestrator.ledger.above_limits import LIMITS
from orchestrator.ledger.excess import RULES_S, Excess, Outcome, longer_than
from orchestrator.report.axis import elapsed_s, number_axis, time_axis
from orchestrator.report.chart import Chart, Series, make_chart
from orchestrator.report.page import Imprint, render
from orchestrator.report.period import Period
from orchestrator.report.units import duration_text, energy_text, power_text

MOST_ROWS: Final = 1000
"""The page shows this many excesses, the longest ones; the CSV has all."""
DAY: Final = timedelta(days=1)
CSV_COLUMNS: Final = (
    *("began_at", "limit", "source", "limit_watts", "duration_s", "peak_watts", "watt_hours", "outcome", "limit_fell"),
    *("mode", "site_watts", "load_watts", "ac_watts", "pv_watts", "battery_watts", "away", "reasons"),
)


def compliance_page(site: str, excesses: Sequence[Excess], period: Period, imprint: Imprint) -> str:
    """One HTML page. `excesses` are those of the period, oldest first."""
    longest = sorted(excesses, key=lambda excess: -excess.duration_s)[:MOST_ROWS]
    return render(
        "compliance.html.j2",
        f"{site}: excesses over limits",
        imprint,
        {
            "site": site,
            "first_day": f"{period.begin:%Y-%m-%d}",
            "last_day": f"{period.end - timedelta(microseconds=1):%Y-%m-%d}",
            "tiles": list(_tiles(excesses)),
            "rules": [f"{rule_s:g} s" for rule_s in RULES_S],
            "sums": [_sums(limit, [each for each in excesses if each.limit == limit]) for limit in LIMITS],
            "charts": _charts(excesses, period) if excesses else [],
            "rows": [_row(excess, period) for excess in sorted(longest, key=lambda each: each.began_at)],
            "hidden": len(excesses) - len(longest),
        },
    )


def compliance_csv(excesses: Sequence[Excess], period: Period) -> str:
    """One line for each excess, under `CSV_COLUMNS`; times in the zone of the site (RFC 3339), lists joined by `; `."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for excess in excesses:
        context = excess.context
        began_at = excess.began_at.astimezone(period.begin.tzinfo).isoformat(timespec="milliseconds")
        watts = (context.site_watts, context.load_watts, context.ac_watts, context.pv_watts, context.battery_watts)
        writer.writerow(
            (
                *(began_at, excess.limit, excess.source, _rounded(excess.limit_watts), _rounded(excess.duration_s, 3)),
                *(_rounded(excess.peak_watts), _rounded(excess.watt_hours, 3), excess.outcome.value),
                *(str(context.limit_fell).lower(), context.mode, *map(_rounded, watts)),
                *("; ".join(context.away), "; ".join(context.reasons)),
            )
        )
    return text.getvalue()


def _tiles(excesses: Sequence[Excess]) -> Iterator[tuple[str, str, str]]:
    """What stands at the top: number, text, and whether it is good or bad."""
    too_long = longer_than(excesses, RULES_S[0])
    yield str(len(excesses)), "excesses over limits", ""
    yield str(too_long), f"longer than {RULES_S[0]:g} s", "bad" if too_long else "good"
    yield duration_text(max((excess.duration_s for excess in excesses), default=0.0)), "the longest", ""
    yield power_text(max((excess.peak_watts for excess in excesses), default=0.0)), "the highest above its limit", ""
    yield energy_text(fsum(excess.watt_hours for excess in excesses)), "energy above limits", ""


def _sums(limit: str, excesses: Sequence[Excess]) -> dict[str, object]:
    return {
        "limit": limit,
        "count": len(excesses),
        "longer": [longer_than(excesses, rule_s) for rule_s in RULES_S],
        "longest": duration_text(max((excess.duration_s for excess in excesses), default=None)),
        "seconds": duration_text(fsum(excess.duration_s for excess in excesses)),
        "peak": power_text(max((excess.peak_watts for excess in excesses), default=None)),
        "energy": energy_text(fsum(excess.watt_hours for excess in excesses)),
        "unseen": sum(excess.outcome is not Outcome.ENDED for excess in excesses),
    }


def _row(excess: Excess, period: Period) -> dict[str, object]:
    context = excess.context
    return {
        "began_at": f"{excess.began_at.astimezone(period.begin.tzinfo):%Y-%m-%d %H:%M:%S}",
        "limit": excess.limit,
        "source": excess.source,
        "limit_watts": power_text(excess.limit_watts),
        "duration": duration_text(excess.duration_s),
        "too_long": excess.duration_s > RULES_S[0],
        "peak": power_text(excess.peak_watts),
        "energy": energy_text(excess.watt_hours),
        "notes": "; ".join(_notes(excess)),
        "load": power_text(context.load_watts),
        "pv": power_text(context.pv_watts),
        "battery": power_text(context.battery_watts),
    }


def _notes(excess: Excess) -> Iterator[str]:
    context = excess.context
    if context.limit_fell:
        yield "the limit fell"
    if excess.outcome is not Outcome.ENDED:
        yield "its end was not seen" if excess.outcome is Outcome.UNSEEN else "it goes on"
    if context.mode != "normal":
        yield context.mode
    if context.away:
        yield f"away: {', '.join(context.away)}"
    yield from context.reasons


def _charts(excesses: Sequence[Excess], period: Period) -> list[Chart]:
    axis = time_axis(period.begin, period.end)
    kinds = [(limit, number) for number, limit in enumerate(LIMITS) if any(each.limit == limit for each in excesses)]
    durations = [
        Series(
            limit,
            [(elapsed_s(period.begin, each.began_at), each.duration_s) for each in excesses if each.limit == limit],
            "dots",
            number,
        )
        for limit, number in kinds
    ]
    energies = [
        Series(limit, _by_day([each for each in excesses if each.limit in _up_to(limit)], period), "bars", number)
        for limit, number in reversed(kinds)  # each bar stands before the higher one behind it: they look stacked
    ]
    longest = number_axis([*(each.duration_s for each in excesses), RULES_S[-1] * 1.2])
    rules = [(rule_s, f"{rule_s:g} s") for rule_s in RULES_S]
    return [
        make_chart("How long each excess lasted", "s", durations, axis, y_axis=longest, rules=rules),
        make_chart("Energy above limits, by day", "Wh", energies, axis),
    ]


def _up_to(limit: str) -> tuple[str, ...]:
    return LIMITS[: LIMITS.index(limit) + 1]


def _by_day(excesses: Sequence[Excess], period: Period) -> list[tuple[float, float | None]]:
    """The energy of each day, at its noon."""
    days: dict[datetime, float] = {}
    day = period.begin.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < period.end:
        days[day] = 0.0
        day += DAY
    for excess in excesses:
        began_at = excess.began_at.astimezone(period.begin.tzinfo)
        days[began_at.replace(hour=0, minute=0, second=0, microsecond=0)] += excess.watt_hours
    return [(elapsed_s(period.begin, day + DAY / 2), watt_hours) for day, watt_hours in days.items()]


def _rounded(value: float | None, digits: int = 1) -> float | str:
    return "" if value is None else round(value, digits)
