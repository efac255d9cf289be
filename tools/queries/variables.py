"""What Grafana would put in the place of the variables of a query."""

from __future__ import annotations

from tools.queries.prometheus import Prometheus


def variables(prometheus: Prometheus, window: str = "15s") -> dict[str, str] | None:
    """Values for the first plant that is found, None where there is none. `window` is how much time is shown."""
    plant = prometheus.label("orchestrator_info", "instance")
    if plant is None:
        return None
    return {
        "plant": plant,
        "site": prometheus.label("orchestrator_info", "site") or "",
        "inverter": ".+",
        "__rate_interval": window,
        "__range": window,
    }
