"""The sites that are measured: the example site's hybrid, hybrid and PV inverter, repeated."""

from __future__ import annotations

from typing import Any, Final

from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import BatterySimulation, InverterSimulation

LOAD_WATTS: Final = 500.0
"""What the site consumes for each of its inverters."""
STEP_WATTS: Final = 700.0
"""How much more it consumes for each of its inverters while the load is high."""
NOISE_WATTS: Final = 20.0
EXPORT_LIMIT_WATTS: Final = 1500.0
"""What the site may export for each of its inverters."""


def _battery(capacity_wh: float, watts: float) -> BatterySimulation:
    return BatterySimulation(capacity_wh=capacity_wh, charge_watts=watts, discharge_watts=watts)


LARGE_HYBRID: Final = InverterSimulation(pv_peak_watts=6000, ac_rating_watts=5000, battery=_battery(10000, 5000))
SMALL_HYBRID: Final = InverterSimulation(pv_peak_watts=4000, ac_rating_watts=4000, battery=_battery(5000, 4000))
PV_ONLY: Final = InverterSimulation(pv_peak_watts=8000, ac_rating_watts=8000)
MIX: Final = (LARGE_HYBRID, SMALL_HYBRID, PV_ONLY)


def site_of(inverters: int, state_dir: str = "./state", *, is_steady: bool = False) -> SiteConfig:
    """A sunny site of 1 to 100 virtual inverters that charges and exports up to its limit. No MQTT, no metrics.

    With `is_steady` no cloud passes and the load does not flutter.

    Its ports are placeholders: serve it with `new_port`.
    """
    simulated = {f"inverter{number:03}": MIX[number % len(MIX)] for number in range(inverters)}
    sections: dict[str, Any] = {
        "site": {"name": "bench"},
        "meter": {"host": "127.0.0.1", "port": 5020, "unit_id": 200, "sign": "import_positive"},
        "inverters": [
            {"name": name, "host": "127.0.0.1", "port": 5021 + index} for index, name in enumerate(simulated)
        ],
        "control": {"battery_power_flow": True, "state_dir": state_dir},
        "setpoints": {"fixed": {"export_limit_watts": EXPORT_LIMIT_WATTS * inverters}},
        "metrics": None,
        "simulation": {
            "inverters": simulated,
            "sun": {"cloud_depth": 0.0 if is_steady else 0.3, "cloud_period_s": 20.0},
            "load": {
                "base_watts": LOAD_WATTS * inverters,
                "variation_watts": 0.0,
                "noise_watts": 0.0 if is_steady else NOISE_WATTS,
            },
        },
    }
    return SiteConfig.model_validate(sections)
