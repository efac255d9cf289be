"""One cycle as metric values. Names are those of docs/metrics.md, without the prefix.

Whatever is unknown has no value here, so that a device that is away has no series instead of its last one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, get_args

from orchestrator.decide.records import CycleResult, Mode
from orchestrator.explain.codes import code_paths
from orchestrator.ledger.above_limits import limits_in_force

METER: Final = "meter"
"""What the meter is called where the label is `inverter`, as `Observer.request_done` calls it."""


MODES: Final = get_args(Mode)
OTHER: Final = "other"
"""The mode of a site that says none, or one of another version: labels are not made by others."""
SILENT: Final = "silent"


@dataclass(frozen=True, slots=True)
class GaugeKind:
    """One gauge: its name (without the prefix), its help text and its labels."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GaugeValue:
    """The value of one series: `labels` in the order of its kind."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


GAUGES: Final = (
    GaugeKind("inverter_up", "1 while the inverter answers, 0 while it does not.", ("inverter",)),
    GaugeKind("inverter_ac_watts", "AC power of the inverter; positive into the site.", ("inverter",)),
    GaugeKind("inverter_pv_watts", "DC power of the PV of the inverter.", ("inverter",)),
    GaugeKind("inverter_battery_watts", "Power of the battery of the inverter; positive is charging.", ("inverter",)),
    GaugeKind("inverter_battery_soc_ratio", "State of charge of the battery, 0 to 1.", ("inverter",)),
    GaugeKind("inverter_ac_limit_watts", "AC limit commanded; no series while there is no limit.", ("inverter",)),
    GaugeKind("inverter_battery_target_watts", "Battery power commanded; positive is charging.", ("inverter",)),
    GaugeKind(
        "inverter_battery_following",
        "0 while the battery has not followed its command for 30 s, else 1.",
        ("inverter",),
    ),
    GaugeKind(
        "inverter_reason",
        "1 for each reason of the newest command: its code, and those of what it is because of.",
        ("inverter", "reason"),
    ),
    GaugeKind(
        "inverter_headroom_watts",
        "How much more (up) or less (down) AC power it could give.",
        ("inverter", "direction"),
    ),
    GaugeKind("inverter_response_seconds", "Time from a change of the command to 63 % of it, learned.", ("inverter",)),
    GaugeKind("site_power_watts", "Power at the grid connection; positive is import."),
    GaugeKind("site_load_watts", "Consumption of the site: grid power plus the AC power of the inverters."),
    GaugeKind("site_pv_watts", "DC power of all PV that can be read."),
    GaugeKind("site_battery_watts", "Power of all batteries that can be read; positive is charging."),
    GaugeKind(
        "site_headroom_watts", "How much more (up) or less (down) AC power the plant could give.", ("direction",)
    ),
    GaugeKind(
        "site_balanced_watts", "What the batteries can hold while their states of charge stay together.", ("direction",)
    ),
    GaugeKind("limit_watts", "Limit in force and the source that set it.", ("limit", "source")),
    GaugeKind("portfolio_sites", "How many sites of a portfolio are in this mode, or silent.", ("mode",)),
    GaugeKind("sample_age_seconds", "Age of the sample when the cycle was decided.", ("inverter",)),
)


def gauge_values(result: CycleResult) -> tuple[GaugeValue, ...]:
    """Every gauge that has a finite value in this cycle."""
    values = (
        *_site_values(result),
        *_limit_values(result),
        *_inverter_values(result),
        *_live_values(result),
        *_portfolio_values(result),
        *_ages(result),
    )
    return tuple(
        GaugeValue(name, value, labels) for name, value, labels in values if value is not None and math.isfinite(value)
    )


_Value = tuple[str, float | None, tuple[str, ...]]


def _site_values(result: CycleResult) -> Iterator[_Value]:
    totals = result.totals
    yield "site_power_watts", totals.site_watts, ()
    yield "site_load_watts", totals.load_watts, ()
    if result.snapshot.inverters:  # with none of them answering, the sums are unknown and not zero
        yield "site_pv_watts", totals.pv_watts, ()
        yield "site_battery_watts", totals.battery_watts, ()

    yield "site_headroom_watts", result.live.headroom_up_watts, ("up",)
    yield "site_headroom_watts", result.live.headroom_down_watts, ("down",)
    yield "site_balanced_watts", result.live.balanced_charge_watts, ("charge",)
    yield "site_balanced_watts", result.live.balanced_discharge_watts, ("discharge",)


def _limit_values(result: CycleResult) -> Iterator[_Value]:
    for limit, watts in limits_in_force(result.envelope).items():
        yield "limit_watts", watts, (limit, result.envelope.source(f"{limit}_limit_watts") or "")


def _inverter_values(result: CycleResult) -> Iterator[_Value]:
    for sample in result.snapshot.inverters:
        labels = (sample.name,)
        yield "inverter_up", 1.0, labels
        yield "inverter_ac_watts", sample.ac_watts, labels
        yield "inverter_pv_watts", sample.pv_watts, labels
        if sample.battery is not None:
            soc = sample.battery.soc_percent
            yield "inverter_battery_watts", sample.battery.watts, labels
            yield "inverter_battery_soc_ratio", None if soc is None else soc / 100, labels
        command = result.command(sample.name)
        if command is not None:
            yield "inverter_ac_limit_watts", command.ac_limit_watts, labels
            if command.battery is not None:
                yield "inverter_battery_target_watts", command.battery.watts, labels
                yield "inverter_battery_following", float(sample.name not in result.not_following), labels
            for reason in dict.fromkeys(code_paths(command.reasons)):
                yield "inverter_reason", 1.0, (sample.name, reason)
    for name in result.snapshot.away:
        yield "inverter_up", 0.0, (name,)


def _live_values(result: CycleResult) -> Iterator[_Value]:
    for name, numbers in result.live.inverters.items():
        yield "inverter_headroom_watts", numbers.headroom_up_watts, (name, "up")
        yield "inverter_headroom_watts", numbers.headroom_down_watts, (name, "down")
        yield "inverter_response_seconds", numbers.response_s, (name,)


def _portfolio_values(result: CycleResult) -> Iterator[_Value]:
    """Nothing where no inverter is a site."""
    snapshot = result.snapshot
    modes = [each.site.mode for each in snapshot.inverters if each.site is not None]
    if not modes and not any(each.site is not None for each in snapshot.last_heard):
        return
    counts = Counter(mode if mode in MODES else OTHER for mode in modes)
    for mode in (*MODES, OTHER):
        yield "portfolio_sites", float(counts[mode]), (mode,)
    yield "portfolio_sites", float(len(snapshot.away)), (SILENT,)


def _ages(result: CycleResult) -> Iterator[_Value]:
    snapshot = result.snapshot
    for sample in snapshot.inverters:
        yield "sample_age_seconds", max(0.0, snapshot.at_s - sample.at_s), (sample.name,)
    if snapshot.meter is not None:
        yield "sample_age_seconds", max(0.0, snapshot.at_s - snapshot.meter.at_s), (METER,)
