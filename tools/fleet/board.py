"""The queries of the board Fleet, asked of the store that a fleet is pushed to."""

from __future__ import annotations

from tools.queries.catalogue import PORTFOLIO_BOARD, PORTFOLIO_METRIC, Asked, panel_queries
from tools.queries.prometheus import Prometheus, ask
from tools.queries.variables import variables

BY_RULES = ("orchestrator:", "ALERTS")
"""What a Prometheus with the rules of deploy/ makes; a store that is only written to has none of it."""


def of_the_board() -> tuple[Asked, ...]:
    """Every query of its panels that needs no rule."""
    return tuple(
        each
        for each in panel_queries()
        if each.where.startswith(PORTFOLIO_BOARD) and not any(name in each.expr for name in BY_RULES)
    )


def unanswered(url: str) -> list[str]:
    """Which of them a store at `url` answers with an error or not at all; all of them where it knows no portfolio.

    Raises OSError where nobody answers.
    """
    store = Prometheus(url)
    values = variables(store, of=PORTFOLIO_METRIC)
    if values is None:
        return [each.where for each in of_the_board()]
    askings = [ask(store, each.filled_in(values)) for each in of_the_board()]
    return [f"{each.asked.where}: {each.trouble}" for each in askings if each.trouble]
