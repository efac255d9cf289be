"""Every series name that the program can serve."""

from __future__ import annotations

from typing import Final

from prometheus_client import Metric

from actors.prometheus.observer import PrometheusObserver

_SUFFIXES: Final = {
    "counter": ("_total",),
    "gauge": ("",),
    "summary": ("_sum", "_count"),
    "histogram": ("_bucket", "_sum", "_count"),
}


def families() -> list[Metric]:
    """The metrics of a program that has just started."""
    return list(PrometheusObserver("home", "0").registry.collect())


def served_names() -> set[str]:
    """What a query may ask for."""
    return {family.name + suffix for family in families() for suffix in _SUFFIXES[family.type]}
