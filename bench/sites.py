"""The sites that are measured: the example site's hybrid, hybrid and PV inverter, repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """A sunny site of 1 to 300 virtual inverters that charges and exports up to its limit. No MQTT, no metrics.

    With `is_steady` no cloud passes and the load does not flutter.

    Its ports are placeholders: serve it with `new_port`.
    """
    sections = sections_of(inverters, state_dir, is_steady=is_steady)
    return SiteConfig.model_validate(sections)


def sections_of(
    inverters: int, state_dir: str, *, is_steady: bool = False, sun: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """The same as it stands in a site.yaml; `sun` in place of one that shines through clouds."""
    simulated = {f"inverter{number:03}": MIX[number % len(MIX)] for number in range(inverters)}
    return {
        "site": {"name": "bench"},
        "meter": {"host": "127.0.0.1", "port": 5020, "unit_id": 200, "sign": "import_positive"},
        "inverters": [
            {"name": name, "host": "127.0.0.1", "port": 5021 + index} for index, name in enumerate(simulated)
        ],
        "control": {"battery_power_flow": True, "state_dir": state_dir},
        "setpoints": {"fixed": {"export_limit_watts": EXPORT_LIMIT_WATTS * inverters}},
        "metrics": None,
        "simulation": {
            "inverters": {name: each.model_dump(exclude_unset=True) for name, each in simulated.items()},
            "sun": sun or {"cloud_depth": 0.0 if is_steady else 0.3, "cloud_period_s": 20.0},
            "load": {
                "base_watts": LOAD_WATTS * inverters,
                "variation_watts": 0.0,
                "noise_watts": 0.0 if is_steady else NOISE_WATTS,
            },
        },
    }


@dataclass(frozen=True, slots=True)
class Case:
    """A plant for the bench by turns: batteries can always answer a load that jumps so often, or that stays (None).

    `latency_s`: all devices are behind one gateway that takes so long for a request. `is_line`: they are on a serial
    line at 9600 baud.
    """

    inverters: int
    load_step_every_s: float | None = None
    latency_s: float | None = None
    is_line: bool = False

    def sections(self, folder: str) -> dict[str, Any]:
        """Its site.yaml. Files are in `folder`."""
        sections = sections_of(self.inverters, folder, is_steady=True, sun=LITTLE_SUN)
        sections["setpoints"] = {"fixed": {"battery_soc_min_percent": 5.0}}
        if self.latency_s is not None:
            return _behind(sections, {"host": "127.0.0.1", "port": 5020}, self.latency_s)
        if self.is_line:
            return _behind(sections, {"serial": {"port": f"{folder}/line", "baud_rate": 9600}}, LINE_LATENCY_S)
        return sections


def _behind(sections: dict[str, Any], way: Mapping[str, Any], latency_s: float) -> dict[str, Any]:
    """All devices at one way, with unit ids of their own, each with this time for a request."""
    inverters = [
        {"name": each["name"], "unit_id": number, **way} for number, each in enumerate(sections["inverters"], 1)
    ]
    simulation = sections["simulation"]
    slow = {name: {**each, "latency_s": latency_s} for name, each in simulation["inverters"].items()}
    return {
        **sections,
        "meter": {**way, "unit_id": 200, "sign": "import_positive"},
        "inverters": inverters,
        "simulation": {**simulation, "inverters": slow, "meter": {"latency_s": latency_s}},
    }


LITTLE_SUN: Final = {"cloud_depth": 0.0, "start_fraction": 0.02}
LINE_LATENCY_S: Final = 0.02
"""How long a device on a line thinks about a request."""
CASES: Final = {
    "10": Case(10, load_step_every_s=4.0),
    "10 seldom": Case(10, load_step_every_s=12.0),
    "50": Case(50, load_step_every_s=2.0),
    "100": Case(100, load_step_every_s=2.0),
    "10 steady": Case(10),
    "50 steady": Case(50),
    "100 steady": Case(100),
    "gateway of 60 ms": Case(3, load_step_every_s=10.0, latency_s=0.06),
    "line of 9600 baud": Case(2, load_step_every_s=20.0, is_line=True),
}
