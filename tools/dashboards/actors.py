"""The board Actors: whether the program itself is well."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.models import common

from tools.dashboards.board import Board
from tools.dashboards.parts import (
    COUNT,
    GOOD_AT_ONE,
    GOOD_AT_ZERO,
    PER_SECOND,
    SECONDS,
    Column,
    graph,
    rows_panel,
    stat_panel,
)
from tools.dashboards.queries import Query, increase, mean_seconds, quantile, rate, series

UID: Final = "orchestrator-actors"
MOST: Final = 10
"""How many lines a graph has at most: those of the busiest actors."""
INVERTERS: Final = "/d/orchestrator-inverters?${__url_time_range}&${site:queryparam}&var-inverter=${__value.text}"


def actors_board() -> Board:
    """One actor for each inverter, and five or six more."""
    board = Board(UID, "Orchestrator: Actors", "The parts of the program: alive, in time, and how long they take.")
    board.row("Now", *_now(), height=4)
    board.row("Cycle", (_cycle_time(), 12), (_cycles(), 12))
    board.row("Each actor", (_each(), 24), height=11)
    board.row("Busiest actors", (_inbox(), 8), (_handling(), 8), (_restarts(), 8))
    return board


def _now() -> list[tuple[Any, int]]:
    age, interval = series("cycle_age_seconds"), series("cycle_interval_seconds")
    p95 = series("orchestrator:cycle_seconds:p95_5m")
    restarts = f"round(sum({increase('actor_restarts_total')}))"
    up, inbox = series("actor_up"), series("actor_inbox_depth")
    success = series("actor_last_success_timestamp_seconds")
    late = ((None, "green"), (2.0, "yellow"), (3.0, "red"))
    version = Query(f"max by (version) ({series('info')})", "{{version}}")
    return [
        (stat_panel("Version", "Of the program.", [version], COUNT).text_mode(common.BigValueTextMode.NAME), 3),
        (stat_panel("Actors up", "Those that run.", [Query(f"sum({up})", "up")], COUNT), 3),
        (stat_panel("Down", "Those that do not.", [Query(f"count({up}) - sum({up})", "down")], COUNT, GOOD_AT_ZERO), 3),
        (stat_panel("Restarts", "In the time shown.", [Query(restarts, "restarts")], COUNT, GOOD_AT_ZERO), 3),
        (
            stat_panel(
                "Age of the cycle",
                "Of the newest one, in configured intervals.",
                [Query(f"max({age}) / max({interval})", "intervals")],
                COUNT,
                late,
            ).decimals(1),
            3,
        ),
        (stat_panel("Cycle p95", "From command to acknowledgement.", [Query(f"max({p95})", "p95")], SECONDS), 3),
        (stat_panel("Deepest inbox", "Messages that wait.", [Query(f"max({inbox})", "waiting")], COUNT), 3),
        (
            stat_panel(
                "Longest silence",
                "Since an actor last handled a message.",
                [Query(f"max(time() - {success})", "silence")],
                SECONDS,
            ),
            3,
        ),
    ]


def _cycle_time() -> Any:
    return graph(
        "Cycle time",
        "From a command to its acknowledgement by the inverter.",
        [Query(quantile(part, "cycle_seconds"), f"p{part * 100:.0f}") for part in (0.5, 0.95, 0.99)],
        SECONDS,
    )


def _cycles() -> Any:
    cycles = f"sum by (mode) ({rate('cycles_total')})"
    return graph(
        "Cycles",
        "Decisions a second, by mode: normal, failsafe (no meter) or waiting (just started).",
        [Query(cycles, "{{mode}}")],
        PER_SECOND,
    )


def _each() -> Any:
    def newest(metric: str) -> str:
        return f"max by (actor) ({series(metric)})"

    silence = f"max by (actor) (time() - {series('actor_last_success_timestamp_seconds')})"
    return rows_panel(
        "Each actor",
        "One line for each actor. The name of an inverter opens that inverter.",
        {"actor": "Actor"},
        [
            Column(Query(newest("actor_up"), "Up"), COUNT, GOOD_AT_ONE, words={"0": "no", "1": "yes"}),
            Column(
                Query(f"round(sum by (actor) ({increase('actor_restarts_total')}))", "Restarts"),
                COUNT,
                GOOD_AT_ZERO,
                decimals=0,
            ),
            Column(Query(newest("actor_inbox_depth"), "Inbox"), COUNT, ((None, "green"), (10, "yellow"), (100, "red"))),
            Column(Query(f"sum by (actor) (rate({series('actor_messages_total')}[1m]))", "Messages"), PER_SECOND),
            Column(Query(mean_seconds("actor_handling_seconds", "actor"), "Handling time"), SECONDS),
            Column(Query(silence, "Last success"), SECONDS, ((None, "green"), (10, "yellow"), (60, "red"))),
        ],
        link=INVERTERS,
    )


def _inbox() -> Any:
    depth = f"topk({MOST}, max by (actor) ({series('actor_inbox_depth')}))"
    return graph("Inbox depth", f"Messages that wait, of the {MOST} deepest.", [Query(depth, "{{actor}}")], COUNT)


def _handling() -> Any:
    time = f"topk({MOST}, {mean_seconds('actor_handling_seconds', 'actor')})"
    description = f"Mean time to handle one message, of the {MOST} slowest."
    return graph("Handling time", description, [Query(time, "{{actor}}")], SECONDS)


def _restarts() -> Any:
    restarts = f"topk({MOST}, sum by (actor) ({series('actor_restarts_total')}))"
    description = f"Restarts since the program began, of the {MOST} with most."
    return graph("Restarts", description, [Query(restarts, "{{actor}}")], COUNT)
