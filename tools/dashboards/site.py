"""The board Site: what flows, which limits hold and who set them, the batteries, the day, and limits not kept."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

from tools.dashboards.board import Board
from tools.dashboards.parts import (
    COUNT,
    GOOD_AT_ONE,
    GOOD_AT_ZERO,
    PART,
    PLAIN,
    SECONDS,
    SOC,
    WATT_HOURS,
    WATTS,
    Column,
    graph,
    rows_panel,
    stat_panel,
)
from tools.dashboards.queries import PLANT, Query, increase, rate, series

UID: Final = "orchestrator-site"
INVERTERS: Final = "/d/orchestrator-inverters?${__url_time_range}&${site:queryparam}&var-inverter=${__value.text}"
COLOURS: Final = {
    "PV": "yellow",
    "Discharging": "green",
    "Import": "red",
    "Load": "blue",
    "Charging": "dark-green",
    "Export": "purple",
}
FLOWS: Final = ("pv", "load", "import", "export", "charge", "discharge")


def site_board() -> Board:
    """The first board that people open."""
    board = Board(UID, "Orchestrator: Site", "One grid connection as one plant: power flow, limits, batteries, energy.")
    board.row("Now", *_now(), height=4)
    board.row("Power flow", (_power_flow(), 24), height=11)
    board.row("Limits", (_grid_and_limits(), 12), (_limits_in_force(), 6), (_sources(), 6))
    board.row("Batteries", (_soc(), 8), (_batteries(), 8), (_what_it_could_do(), 8), height=9)
    board.row("Energy of the day", *_energy_of_the_day(), height=4)
    board.row("Limits not kept", (_breaches(), 12), (_excess(), 12))
    return board


def _now() -> list[tuple[Any, int]]:
    up, failsafe = series("inverter_up"), series("cycles_total", 'mode="failsafe"')
    alerts = f'count(ALERTS{{alertstate="firing", {PLANT}}}) or vector(0)'
    return [
        (_number("Grid", "Power at the grid connection; import is positive.", "site_power_watts", WATTS), 3),
        (_number("Load", "What the site consumes.", "site_load_watts", WATTS), 3),
        (_number("PV", "DC power of all PV.", "site_pv_watts", WATTS), 3),
        (_number("Batteries", "Power of all batteries; charging is positive.", "site_battery_watts", WATTS), 3),
        (stat_panel("Mean SoC", "Mean over all batteries.", [_mean_soc()], PART, SOC), 3),
        (
            stat_panel("Inverters", "The part that answers.", [Query(f"avg({up})", "answer")], PART, GOOD_AT_ONE),
            3,
        ),
        (
            stat_panel(
                "Failsafe",
                "The part of the last minute in which the meter could not be trusted.",
                [Query(f"sum(rate({failsafe}[1m])) / sum(rate({series('cycles_total')}[1m]))", "failsafe")],
                PART,
                GOOD_AT_ZERO,
            ),
            3,
        ),
        (stat_panel("Alerts", "Alerts that fire. See Alerting.", [Query(alerts, "firing")], COUNT, GOOD_AT_ZERO), 3),
    ]


def _number(title: str, description: str, metric: str, unit: str) -> Any:
    return stat_panel(title, description, [Query(series(metric), title)], unit).decimals(0)


def _mean_soc() -> Query:
    return Query(f"avg({series('inverter_battery_soc_ratio')})", "Mean")


def _power_flow() -> Any:
    """Where power comes from above the line, where it goes below it; both heaps are equally high but for losses."""
    grid, battery = series("site_power_watts"), series("site_battery_watts")
    panel = graph(
        "Power flow",
        "Above zero: where the power comes from. Below zero: where it goes. The two differ by conversion losses.",
        [
            Query(series("site_pv_watts"), "PV"),
            Query(f"clamp_min(-{battery}, 0)", "Discharging"),
            Query(f"clamp_min({grid}, 0)", "Import"),
            Query(f"-clamp_min({series('site_load_watts')}, 0)", "Load"),
            Query(f"-clamp_min({battery}, 0)", "Charging"),
            Query(f"clamp_max({grid}, 0)", "Export"),
        ],
        WATTS,
    )
    panel.fill_opacity(45).line_width(0)
    panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("from"))
    for name, colour in COLOURS.items():
        panel.override_by_name(name, [_colour(colour)])
    for name in ("Load", "Charging", "Export"):
        stacking = {"mode": "normal", "group": "to"}
        panel.override_by_name(name, [models.DynamicConfigValue(id_val="custom.stacking", value=stacking)])
    return panel


def _colour(name: str) -> models.DynamicConfigValue:
    return models.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": name})


def _grid_and_limits() -> Any:
    export, rest = series("limit_watts", 'limit="export"'), series("limit_watts", 'limit!="export"')
    panel = graph(
        "Grid power between its limits",
        "Import is positive, export negative. The export limit is drawn below zero. A limit names who set it.",
        [
            Query(series("site_power_watts"), "Grid"),
            Query(f"-max by (limit, source) ({export})", "{{limit}} limit ({{source}})"),
            Query(f"max by (limit, source) ({rest})", "{{limit}} limit ({{source}})"),
        ],
        WATTS,
    )
    dashed = [
        models.DynamicConfigValue(id_val="custom.lineInterpolation", value="stepAfter"),
        models.DynamicConfigValue(id_val="custom.fillOpacity", value=0),
        models.DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [8, 8]}),
    ]
    return panel.override_by_regexp("/limit/", dashed).override_by_name("Grid", [_colour("blue")])


def _limits_in_force() -> Any:
    newest = f"max by (limit, source) ({series('limit_watts')})"
    return rows_panel(
        "Limits in force",
        "Each limit, and the source that set it.",
        {"limit": "Limit", "source": "Set by"},
        [Column(Query(newest, "In force"), WATTS, decimals=0)],
    )


def _sources() -> Any:
    fresh = f"min by (source) ({series('setpoint_fresh')})"
    refused = f"round(sum by (source) ({increase('setpoints_rejected_total')}))"
    return rows_panel(
        "Sources of setpoints",
        "A source is late when it had to renew its setpoint and did not; then its default holds. "
        "Refused are messages that were no setpoint, in the time that is shown.",
        {"source": "Source"},
        [
            Column(Query(fresh, "Setpoints"), COUNT, GOOD_AT_ONE, words={"0": "late", "1": "in time"}),
            Column(Query(refused, "Refused"), COUNT, GOOD_AT_ZERO, decimals=0),
        ],
    )


def _soc() -> Any:
    soc = series("inverter_battery_soc_ratio")
    return (
        graph(
            "State of charge",
            "The fullest, the mean and the emptiest battery: as readable with 50 batteries as with 3.",
            [Query(f"max({soc})", "Fullest"), _mean_soc(), Query(f"min({soc})", "Emptiest")],
            PART,
        )
        .min(0)
        .max(1)
    )


def _batteries() -> Any:
    power, target = series("inverter_battery_watts"), series("inverter_battery_target_watts")
    soc = f"max by (inverter) ({series('inverter_battery_soc_ratio')})"
    following = f"min by (inverter) ({series('inverter_battery_following')})"
    return rows_panel(
        "Each battery",
        "State of charge, power (charging is positive) and command. The name opens its inverter.",
        {"inverter": "Battery"},
        [
            Column(Query(soc, "SoC"), PART, SOC, decimals=1, gauge=(0, 1)),
            Column(Query(f"max by (inverter) ({power})", "Power"), WATTS, decimals=0),
            Column(Query(f"max by (inverter) ({target})", "Command"), WATTS, decimals=0),
            Column(Query(following, "Follows"), COUNT, GOOD_AT_ONE, words={"0": "no", "1": "yes"}),
        ],
        link=INVERTERS,
    )


def _what_it_could_do() -> Any:
    headroom = f"max by (direction) ({series('site_headroom_watts')})"
    balanced = f"max by (direction) ({series('site_balanced_watts')})"
    return graph(
        "What the plant could do",
        "Headroom is how much more or less AC power it could give now. "
        "Balanced is what the batteries can hold while their states of charge stay together.",
        [Query(headroom, "Headroom {{direction}}"), Query(balanced, "Balanced {{direction}}")],
        WATTS,
    )


def _energy_of_the_day() -> list[tuple[Any, int]]:
    names = dict(zip(FLOWS, ("PV", "Load", "Import", "Export", "Charged", "Discharged"), strict=True))
    panels = [
        (
            stat_panel(name, f"{name} since midnight.", [Query(f"sum({_energy(flow)})", name)], WATT_HOURS).decimals(1),
            3,
        )
        for flow, name in names.items()
    ]
    own = Query(f"1 - sum({_energy('import')}) / sum({_energy('load')})", "Own supply")
    used = Query(f"1 - sum({_energy('export')}) / sum({_energy('pv')})", "Own use")
    panels += [
        (stat_panel("Own supply", "The part of the load that was not imported.", [own], PART, PLAIN).decimals(0), 3),
        (stat_panel("Own use", "The part of the PV that was not exported.", [used], PART, PLAIN).decimals(0), 3),
    ]
    return [(panel.time_from("now/d"), width) for panel, width in panels]


def _energy(flow: str) -> str:
    return increase("site_energy_watt_hours_total", f'flow="{flow}"')


def _breaches() -> Any:
    columns = [
        Column(Query(_breaches_of(rule), f"Longer than {words}"), COUNT, GOOD_AT_ZERO, decimals=0)
        for rule, words in {"5s": "5 s", "10s": "10 s", "15s": "15 s"}.items()
    ]
    seconds = f"sum by (limit) ({increase('limit_excess_seconds_total')})"
    energy = f"sum by (limit) ({increase('limit_excess_watt_hours_total')})"
    columns += [
        Column(Query(seconds, "Time above"), SECONDS, decimals=0),
        Column(Query(energy, "Energy above"), WATT_HOURS, decimals=1),
    ]
    return rows_panel(
        "Excesses by the rules of 5, 10 and 15 s",
        "How often a limit was exceeded for longer than a rule allows, in the time that is shown. "
        "Time and energy above a limit have no tolerance: the seconds in which a new limit is reached count.",
        {"limit": "Limit"},
        columns,
    )


def _breaches_of(rule: str) -> str:
    counted = series("orchestrator:limit_breaches:total", f'rule="{rule}"')
    return f"round(sum by (limit) (increase({counted}[$__range])))"


def _excess() -> Any:
    watts = f"sum by (limit) ({rate('limit_excess_watt_hours_total')}) * 3600"
    return graph("Power above a limit", "Mean power above each limit.", [Query(watts, "{{limit}}")], WATTS)
