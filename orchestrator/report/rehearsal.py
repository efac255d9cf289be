"""The report of `simulate`: a day of the site, controlled in several ways, as a page, as CSV and in a few lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum
from typing import Final

from orchestrator.config.sections import SiteConfig
from orchestrator.ledger.excess import RULES_S, longer_than
from orchestrator.report.axis import Axis, number_axis, time_axis
from orchestrator.report.chart import Chart, Series, make_chart
from orchestrator.report.page import Imprint, render
from orchestrator.report.units import duration_text, energy_text, percent_text
from orchestrator.simulation.measuring.trace import Trace, Values
from orchestrator.simulation.rehearsal.day import Rehearsed

MOST_INVERTERS: Final = 12
"""This many inverters have plots of their own; the CSV has all."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What was rehearsed: the ways side by side, the orchestrator first. `begin` is in the zone of the site."""

    config: SiteConfig
    weather: str
    hours: float
    begin: datetime
    assumptions: tuple[str, ...]
    ways: tuple[Rehearsed, ...]


def rehearsal_page(rehearsal: Rehearsal, imprint: Imprint) -> str:
    """One HTML page."""
    axis = time_axis(rehearsal.begin, rehearsal.begin + timedelta(hours=rehearsal.hours))
    names = [inverter.name for inverter in rehearsal.config.inverters]
    return render(
        "rehearsal.html.j2",
        f"{rehearsal.config.site.name}: rehearsal",
        imprint,
        {
            "site": rehearsal.config.site.name,
            "weather": rehearsal.weather,
            "hours": f"{rehearsal.hours:g}",
            "assumptions": rehearsal.assumptions,
            "titles": [each.way.title for each in rehearsal.ways],
            "comparison": list(comparison(rehearsal.ways)),
            "balance": list(_balance(rehearsal.ways[0])),
            "site_charts": _site_charts(rehearsal, axis),
            "inverter_charts": [
                chart
                for name in names[:MOST_INVERTERS]
                for chart in _inverter_charts(rehearsal.ways[0].trace, name, axis)
            ],
            "hidden": max(len(names) - MOST_INVERTERS, 0),
            "bucket": duration_text(rehearsal.ways[0].trace.bucket_s),
        },
    )


def comparison(ways: Sequence[Rehearsed]) -> Iterator[tuple[str, list[str]]]:
    """Each measure, and its value for each way."""
    balances = [each.balance for each in ways]
    excesses = [each.excesses for each in ways]
    yield "PV made", [energy_text(each.pv_wh) for each in balances]
    yield "PV curtailed", [energy_text(each.curtailed_wh) for each in balances]
    yield "of it avoidable", [energy_text(each.avoidable_curtailed_wh) for each in ways]
    yield "imported", [energy_text(each.imported_wh) for each in balances]
    yield "of it avoidable", [energy_text(each.avoidable_imported_wh) for each in ways]
    yield "import avoided", [energy_text(each.import_avoided_wh) for each in balances]
    yield "exported", [energy_text(each.exported_wh) for each in balances]
    yield "self-consumption", [percent_text(each.self_consumption_percent) for each in balances]
    yield "self-sufficiency", [percent_text(each.self_sufficiency_percent) for each in balances]
    yield "excesses over limits", [str(len(each)) for each in excesses]
    for rule_s in RULES_S:
        yield f"longer than {rule_s:g} s", [str(longer_than(each, rule_s)) for each in excesses]
    yield "time above limits", [duration_text(fsum(one.duration_s for one in each)) for each in excesses]
    yield "energy above limits", [energy_text(fsum(one.watt_hours for one in each)) for each in excesses]
    yield "turns between charging and discharging", [str(each.direction_changes) for each in ways]
    yield "changes of commands", [str(each.command_changes) for each in ways]


def rehearsal_csv(rehearsal: Rehearsal) -> str:
    """One line for each bucket of time and way: `time` (RFC 3339, its middle), `way`, and every column of its trace."""
    columns = list(dict.fromkeys(name for each in rehearsal.ways for name in each.trace.columns))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("time", "way", *columns))
    for each in rehearsal.ways:
        values = [each.trace.column(name) for name in columns]
        for number, at_s in enumerate(each.trace.at_s):
            time = (rehearsal.begin + timedelta(seconds=at_s)).isoformat(timespec="seconds")
            writer.writerow((time, each.way.name, *(_rounded(column[number]) for column in values)))
    return text.getvalue()


def _balance(ours: Rehearsed) -> Iterator[tuple[str, str, str]]:
    """Where the energy came from, where it went: name, energy, and on which side it stands."""
    balance = ours.balance
    taken_wh, put_wh = max(-balance.stored_wh, 0.0), max(balance.stored_wh, 0.0)
    yield "PV", energy_text(balance.pv_wh), "in"
    yield "imported", energy_text(balance.imported_wh), "in"
    yield "taken from batteries", energy_text(taken_wh), "in"
    yield "together", energy_text(balance.pv_wh + balance.imported_wh + taken_wh), "sum"
    yield "consumed", energy_text(balance.load_wh), "out"
    yield "exported", energy_text(balance.exported_wh), "out"
    yield "put into batteries", energy_text(put_wh), "out"
    yield "lost in inverters", energy_text(balance.converter_losses_wh), "out"
    yield "lost in batteries", energy_text(balance.battery_losses_wh), "out"
    losses_wh = balance.converter_losses_wh + balance.battery_losses_wh
    yield "together", energy_text(balance.load_wh + balance.exported_wh + put_wh + losses_wh), "sum"


def _site_charts(rehearsal: Rehearsal, axis: Axis) -> list[Chart]:
    trace = rehearsal.ways[0].trace
    limits = _limit_lines(trace)
    power = [
        Series("consumption", _kilowatts(trace, "load_watts"), colour=1),
        Series("PV", _kilowatts(trace, "pv_watts"), colour=4),
        Series("PV possible", _kilowatts(trace, "pv_available_watts"), "dashed", 4),
        Series("batteries", _kilowatts(trace, "battery_watts"), colour=2),
        Series("grid", _kilowatts(trace, "site_watts"), colour=0),
        *limits,
    ]
    grid = [
        Series(each.way.title, _kilowatts(each.trace, "site_watts"), colour=colour)
        for each, colour in reversed(list(zip(rehearsal.ways, (0, 7, 1), strict=False)))
    ]
    charts = [
        make_chart("Power of the site", "kW", power, axis),
        make_chart("Grid power, controlled in different ways", "kW", [*grid, *limits], axis),
    ]
    batteries = [
        name for name in (f"{i.name}.soc_percent" for i in rehearsal.config.inverters) if name in trace.columns
    ]
    if batteries:
        states = [Series(name.split(".")[0], _points(trace, name)) for name in batteries[:MOST_INVERTERS]]
        percent = number_axis([], low=0.0, high=100.0)
        charts.append(make_chart("State of charge", "%", states, axis, y_axis=percent))
    return charts


def _limit_lines(trace: Trace) -> list[Series]:
    """Limits at the grid connection with the sign of the power there."""
    lines = []
    for limit, sign in (("export", -1.0), ("import", 1.0)):
        if f"{limit}_limit_watts" in trace.columns:
            lines.append(Series(f"{limit} limit", _kilowatts(trace, f"{limit}_limit_watts", sign), "step", 3))
    return lines


def _inverter_charts(trace: Trace, name: str, axis: Axis) -> Iterator[Chart]:
    power = [
        Series("PV", _kilowatts(trace, f"{name}.pv_watts"), colour=4),
        Series("AC power", _kilowatts(trace, f"{name}.ac_watts"), colour=0),
        Series("AC limit commanded", _kilowatts(trace, f"{name}.ac_limit_watts"), "step", 3),
    ]
    yield make_chart(f"{name}: power", "kW", power, axis)
    if f"{name}.battery_watts" in trace.columns:
        battery = [
            Series("battery", _kilowatts(trace, f"{name}.battery_watts"), colour=2),
            Series("commanded", _kilowatts(trace, f"{name}.battery_target_watts"), "step", 3),
        ]
        yield make_chart(f"{name}: battery", "kW", battery, axis)


def _kilowatts(trace: Trace, name: str, sign: float = 1.0) -> list[tuple[float, float | None]]:
    return [(at_s, None if watts is None else sign * watts / 1000) for at_s, watts in _points(trace, name)]


def _points(trace: Trace, name: str) -> list[tuple[float, float | None]]:
    values: Values = trace.column(name)
    return list(zip(trace.at_s, values, strict=True))


def _rounded(value: float | None) -> float | str:
    return "" if value is None else round(value, 1)
