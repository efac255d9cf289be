"""The board Fleet: a portfolio and its sites, by what the portfolio says of them."""

from __future__ import annotations

from typing import Any, Final

from tools.dashboards.board import Board
from tools.dashboards.parts import COUNT, GOOD_AT_ZERO, PART, SECONDS, WATTS, Column, graph, rows_panel, stat_panel
from tools.dashboards.queries import PLANT, Query, increase, rate, series

UID: Final = "orchestrator-fleet"
MOST: Final = 10
"""How many sites a table or a graph names at most: with a thousand nobody reads them all."""
SITES: Final = "portfolio_sites"
ONE_SITE: Final = "/d/orchestrator-inverters?${__url_time_range}&${site:queryparam}&var-inverter=${__value.text}"
KEPT: Final = ((None, "red"), (0.99, "yellow"), (0.999, "green"))


def fleet_board() -> Board:
    """To choose from are portfolios only. A site is the `inverter` of its portfolio."""
    board = Board(
        UID,
        "Orchestrator: Fleet",
        "A portfolio: its sites by mode, its target against its power, limits kept, silent and slow sites.",
        of=f"orchestrator_{SITES}",
    )
    board.row("Now", *_now(), height=4)
    board.row("Power", (_target(), 12), (_limits(), 12))
    board.row("Sites", (_modes(), 12), (_silent_sites(), 6), (_slowest(), 6), height=10)
    board.row("Limits", (_kept(), 8), (_above(), 8), (_refused(), 8))
    return board


def _silent() -> str:
    return series(SITES, 'mode="silent"')


def _now() -> list[tuple[Any, int]]:
    every, failsafe = series(SITES), series(SITES, 'mode="failsafe"')
    alerts = f'count(ALERTS{{alertstate="firing", {PLANT}}}) or vector(0)'
    share = f"sum(orchestrator:limit_above:ratio_rate1h{{{PLANT}}}) by (limit)"
    return [
        (stat_panel("Sites", "All sites of the portfolio.", [Query(f"sum({every})", "sites")], COUNT), 3),
        (_stat("Silent", "Sites that the portfolio does not hear.", f"sum({_silent()})"), 3),
        (_stat("Failsafe", "Sites whose meter cannot be trusted.", f"sum({failsafe})"), 3),
        (_watts("Grid", "Power of all sites at their grid connections; import is positive.", "site_power_watts"), 3),
        (_watts("Batteries", "Power of all batteries; charging is positive.", "site_battery_watts"), 3),
        (
            stat_panel(
                "Limits kept", "Part of the last hour.", [Query(f"1 - max({share})", "kept")], PART, KEPT
            ).decimals(2),
            3,
        ),
        (
            stat_panel(
                "Slowest answer",
                "Response time of the slowest site.",
                [Query(f"max({series('inverter_response_seconds')})", "slowest")],
                SECONDS,
            ).decimals(1),
            3,
        ),
        (_stat("Alerts", "Alerts that fire. See Alerting.", alerts), 3),
    ]


def _stat(title: str, description: str, expr: str) -> Any:
    return stat_panel(title, description, [Query(expr, title)], COUNT, GOOD_AT_ZERO)


def _watts(title: str, description: str, metric: str) -> Any:
    return stat_panel(title, description, [Query(f"sum({series(metric)})", title)], WATTS).decimals(0)


def _target() -> Any:
    target = series("inverter_battery_target_watts")
    return graph(
        "Target against power",
        "What all batteries are told together, and what they do. Charging is positive.",
        [Query(f"sum({target})", "Target"), Query(f"sum({series('site_battery_watts')})", "Power")],
        WATTS,
    )


def _limits() -> Any:
    export, rest = series("limit_watts", 'limit="export"'), series("limit_watts", 'limit!="export"')
    return graph(
        "Grid power between its limits",
        "The sum of all sites. Import is positive; the export limit is drawn below zero.",
        [
            Query(f"sum({series('site_power_watts')})", "Grid"),
            Query(f"-max by (limit) ({export})", "{{limit}} limit"),
            Query(f"max by (limit) ({rest})", "{{limit}} limit"),
        ],
        WATTS,
    )


def _modes() -> Any:
    return graph(
        "Sites by mode",
        "How many sites say that they are in which mode; silent are those that the portfolio does not hear.",
        [Query(f"sum by (mode) ({series(SITES)})", "{{mode}}")],
        COUNT,
    )


def _silent_sites() -> Any:
    heard = f"bottomk({MOST}, min by (inverter) ({series('inverter_up')}))"
    return rows_panel(
        "Silent sites",
        f"{MOST} sites, those that are silent first.",
        {"inverter": "Site"},
        [Column(Query(heard, "Heard"), COUNT, ((None, "red"), (1, "green")), words={"0": "no", "1": "yes"})],
        link=ONE_SITE,
    )


def _slowest() -> Any:
    response = f"topk({MOST}, max by (inverter) ({series('inverter_response_seconds')}))"
    return rows_panel(
        "Slowest answers",
        "From a change of a command until 63 % of it is measured.",
        {"inverter": "Site"},
        [Column(Query(response, "Response"), SECONDS, decimals=1)],
        link=ONE_SITE,
    )


def _kept() -> Any:
    above = rate("limit_excess_seconds_total")
    return graph(
        "Limits kept",
        "The part of the time in which the sum was not above a limit.",
        [Query(f"1 - clamp_max(max by (limit) ({above}), 1)", "{{limit}}")],
        PART,
    ).max(1)


def _above() -> Any:
    watts = f"sum by (limit) ({rate('limit_excess_watt_hours_total')}) * 3600"
    return graph("Power above a limit", "Mean power of the sum above each limit.", [Query(watts, "{{limit}}")], WATTS)


def _refused() -> Any:
    faults = f"topk({MOST}, sum by (inverter) ({increase('command_faults_total')}))"
    return rows_panel(
        "Commands that had no effect",
        "Sites that refused commands, or did not follow them, in the time that is shown.",
        {"inverter": "Site"},
        [Column(Query(faults, "Commands"), COUNT, GOOD_AT_ZERO, decimals=0)],
        link=ONE_SITE,
    )
