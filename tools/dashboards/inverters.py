"""The board Inverters: one line for each, and a row of graphs for each that is chosen."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.models import dashboard as models

from tools.dashboards.board import Board, all_values, variable
from tools.dashboards.parts import (
    COUNT,
    GOOD_AT_ONE,
    GOOD_AT_ZERO,
    LATENCY,
    PART,
    PER_SECOND,
    SECONDS,
    SOC,
    WATTS,
    Column,
    graph,
    rows_panel,
    states,
)
from tools.dashboards.queries import METER, Query, increase, mean_seconds, quantile, rate, series

UID: Final = "orchestrator-inverters"
OWN: Final = 'inverter=~"$inverter"'
ONLY_INVERTERS: Final = f'inverter!="{METER}"'
THIS_ONE: Final = "/d/orchestrator-inverters?${__url_time_range}&${site:queryparam}&var-inverter=${__value.text}"


def inverters_board() -> Board:
    """With 50 inverters the two tables show all of them; the names in the first one leave the row of one."""
    chosen = variable("inverter", "Inverters", all_values("inverter_up", "inverter"), many=True)
    board = Board(UID, "Orchestrator: Inverters", "Each inverter: what it does, what it is told, and why.", [chosen])
    board.row("All inverters", (_all(), 24), height=10)
    board.row("All commands, and the meter", (_reasons(), 12), (_faults(), 6), (_meter(), 6), height=8)
    board.row(
        "$inverter",
        (_ac_and_pv(), 12),
        (_battery(), 12),
        (_soc(), 6),
        (_reason(), 6),
        (_latency(), 6),
        (_requests(), 6),
        height=8,
        repeat="inverter",
    )
    return board


def _newest(metric: str, heading: str) -> Query:
    return Query(f"max by (inverter) ({series(metric, ONLY_INVERTERS)})", heading)


def _all() -> Any:
    errors = f"sum by (inverter) ({increase('modbus_errors_total', ONLY_INVERTERS)})"
    latency = f"max by (inverter) ({series('orchestrator:modbus_latency_seconds:p95_5m', ONLY_INVERTERS)})"
    return rows_panel(
        "All inverters",
        "One line for each inverter. A name leaves only its own graphs; All in the list above brings back the rest.",
        {"inverter": "Inverter"},
        [
            Column(_newest("inverter_up", "Answers"), COUNT, GOOD_AT_ONE, words={"0": "no", "1": "yes"}),
            Column(_newest("inverter_ac_watts", "AC"), WATTS, decimals=0),
            Column(_newest("inverter_ac_limit_watts", "AC limit"), WATTS, decimals=0),
            Column(_newest("inverter_pv_watts", "PV"), WATTS, decimals=0),
            Column(_newest("inverter_battery_watts", "Battery"), WATTS, decimals=0),
            Column(_newest("inverter_battery_target_watts", "Command"), WATTS, decimals=0),
            Column(_newest("inverter_battery_soc_ratio", "SoC"), PART, SOC, decimals=1, gauge=(0, 1)),
            Column(_newest("sample_age_seconds", "Age"), SECONDS, ((None, "green"), (2, "yellow"), (5, "red"))),
            Column(_newest("inverter_response_seconds", "Response"), SECONDS),
            Column(Query(latency, "Modbus p95"), SECONDS, LATENCY),
            Column(Query(f"round({errors})", "Errors"), COUNT, GOOD_AT_ZERO, decimals=0),
        ],
        link=THIS_ONE,
    )


def _reasons() -> Any:
    reasons = f"max by (inverter, reason) ({series('inverter_reason')})"
    return rows_panel(
        "Why",
        "The codes of the reasons of the newest command of each inverter; docs/reasons.md has words for them.",
        {"inverter": "Inverter", "reason": "Reason"},
        [Column(Query(reasons, "Holds"), COUNT, words={"1": "now"})],
        link=THIS_ONE,
    )


def _faults() -> Any:
    faults = f"round(sum by (inverter, kind) ({increase('command_faults_total')}))"
    return rows_panel(
        "Commands without effect",
        "Commands that an inverter ignored or refused, in the time that is shown.",
        {"inverter": "Inverter", "kind": "Kind"},
        [Column(Query(faults, "Count"), COUNT, GOOD_AT_ZERO, decimals=0)],
    )


def _meter() -> Any:
    own = f'inverter="{METER}"'
    return graph(
        "Meter",
        "Age of its newest sample, and the mean time of a Modbus request.",
        [
            Query(series("sample_age_seconds", own), "Age"),
            Query(mean_seconds("modbus_latency_seconds", "inverter", own), "Modbus"),
        ],
        SECONDS,
    )


def _ac_and_pv() -> Any:
    panel = graph(
        "AC and PV: $inverter",
        "AC power into the site, its limit, and the DC power of the PV. No limit, no line.",
        [
            Query(series("inverter_ac_watts", OWN), "AC"),
            Query(series("inverter_ac_limit_watts", OWN), "AC limit"),
            Query(series("inverter_pv_watts", OWN), "PV"),
        ],
        WATTS,
    )
    return _with_command(panel, "AC limit", {"AC": "blue", "PV": "yellow", "AC limit": "red"})


def _battery() -> Any:
    panel = graph(
        "Battery against its command: $inverter",
        "Charging is positive. The dashed line is what was commanded.",
        [
            Query(series("inverter_battery_watts", OWN), "Battery"),
            Query(series("inverter_battery_target_watts", OWN), "Command"),
        ],
        WATTS,
    )
    return _with_command(panel, "Command", {"Battery": "green", "Command": "red"})


def _with_command(panel: Any, command: str, colours: dict[str, str]) -> Any:
    """What is commanded is a dashed line in steps."""
    for name, colour in colours.items():
        panel.override_by_name(name, [_value("color", {"mode": "fixed", "fixedColor": colour})])
    dashed = {"fill": "dash", "dash": [8, 8]}
    look = {"custom.lineInterpolation": "stepAfter", "custom.fillOpacity": 0, "custom.lineStyle": dashed}
    return panel.override_by_name(command, [_value(name, value) for name, value in look.items()])


def _soc() -> Any:
    soc = Query(series("inverter_battery_soc_ratio", OWN), "SoC")
    return graph("State of charge: $inverter", "Of its battery.", [soc], PART).min(0).max(1)


def _reason() -> Any:
    reasons = Query(f"max by (reason) ({series('inverter_reason', OWN)})", "{{reason}}")
    return states("Why: $inverter", "The reasons of its commands as codes, while they held.", reasons, {"1": "holds"})


def _latency() -> Any:
    metric = "modbus_latency_seconds"
    return graph(
        "Modbus latency: $inverter",
        "Time of one request: half of them are quicker than the lower line, 95 % than the upper one.",
        [
            Query(quantile(0.5, metric, "", OWN), "p50"),
            Query(quantile(0.95, metric, "", OWN), "p95"),
        ],
        SECONDS,
        LATENCY,
    )


def _requests() -> Any:
    writes = f"sum({rate('register_writes_total', OWN)})"
    return graph(
        "Modbus requests and errors: $inverter",
        "Requests, register writes among them, and errors by kind.",
        [
            Query(f"sum({rate('modbus_requests_total', OWN)})", "requests"),
            Query(writes, "writes"),
            Query(f"sum by (kind) ({rate('modbus_errors_total', OWN)})", "{{kind}}"),
        ],
        PER_SECOND,
    )


def _value(name: str, value: object) -> models.DynamicConfigValue:
    return models.DynamicConfigValue(id_val=name, value=value)
