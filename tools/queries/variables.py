"""What Grafana would put in the place of the variables of a query."""

from __future__ import annotations

from tools.queries.prometheus import Prometheus


def variables(prometheus: Prometheus, window: str = "15s", of: str = "orchestrator_info") -> dict[str, str] | None:
    """Values for the first plant that has the metric `of`, None where none has. `window` is how much time is shown."""
    site = prometheus.label(of, "site")
    if site is None:
        return None
    return {
        "site": site,
        "inverter": ".+",
        "__rate_interval": window,
        "__range": window,
    }
