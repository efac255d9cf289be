"""Print the table of all queries with their answers; exit 1 where one is in trouble."""

from __future__ import annotations

import argparse
import sys

from tools.queries.catalogue import PORTFOLIO_METRIC, all_queries
from tools.queries.prometheus import Prometheus, ask
from tools.queries.table import markdown
from tools.queries.variables import variables


def main() -> int:
    """Ask every query of the plant that a Prometheus reads."""
    parser = argparse.ArgumentParser(prog="python -m tools.queries", description=__doc__)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:9090", help="where Prometheus is")
    prometheus = Prometheus(parser.parse_args().url)
    values = variables(prometheus)
    if values is None:
        print("this Prometheus has no orchestrator_info: it reads no orchestrator, or none yet", file=sys.stderr)
        return 1
    is_portfolio = bool(prometheus.ask(PORTFOLIO_METRIC).values)
    of_portfolio = values | (variables(prometheus, of=PORTFOLIO_METRIC) or {})
    askings = [
        ask(prometheus, asked.filled_in(of_portfolio if asked.is_of_a_portfolio else values))
        for asked in all_queries(of_portfolio=is_portfolio)
    ]
    print(markdown(askings))
    troubled = [asking for asking in askings if asking.trouble]
    for asking in troubled:
        print(f"{asking.asked.where}: {asking.trouble}", file=sys.stderr)
    print(f"{len(askings)} queries, {len(troubled)} in trouble", file=sys.stderr)
    return 1 if troubled else 0


sys.exit(main())
