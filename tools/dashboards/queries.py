"""PromQL as the panels need it. Every query is about one plant: the one that the variables of the board choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PLANT: Final = 'site="$site"'
METER: Final = "meter"


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel. `legend` names its series in a graph, or its column in a table."""

    expr: str
    legend: str


def series(metric: str, *matchers: str) -> str:
    """A selector: `orchestrator_<metric>` of the plant, narrowed by `matchers` such as 'limit="export"'."""
    return f"{_named(metric)}{{{', '.join((PLANT, *matchers))}}}"


def rate(metric: str, *matchers: str) -> str:
    """How fast a counter rises a second, over a time that suits the width of the graph."""
    return f"rate({series(metric, *matchers)}[$__rate_interval])"


def increase(metric: str, *matchers: str) -> str:
    """By how much a counter rose in the time that is shown."""
    return f"increase({series(metric, *matchers)}[$__range])"


def quantile(part: float, metric: str, by: str = "", *matchers: str) -> str:
    """A quantile of a histogram, one for each value of the label `by`."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({part:g}, sum by ({labels}) ({rate(f'{metric}_bucket', *matchers)}))"


def mean_seconds(metric: str, by: str, *matchers: str) -> str:
    """The mean of a summary or histogram of times over the last minute, in s; 0 where nothing was measured."""
    total, count = (f"sum by ({by}) (rate({series(f'{metric}_{part}', *matchers)}[1m]))" for part in ("sum", "count"))
    return f"{total} / ({count} > 0)"


def _named(metric: str) -> str:
    return metric if ":" in metric or metric == "ALERTS" else f"orchestrator_{metric}"
