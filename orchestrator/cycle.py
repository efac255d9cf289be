"""One record per control cycle: what was seen, what was decided, and why. MQTT, metrics, log and table all read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from orchestrator.commands import InverterCommand
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints import OperatingEnvelope

BatteryFlowMode = Literal["charge", "discharge", "idle"]
Mode = Literal["normal", "failsafe", "waiting"]


@dataclass(frozen=True, slots=True)
class BatteryPowerFlow:
    """The site-level decision, all in W.

    `target_battery_power_watts` charging +; `target_export_watts` >= 0 is the export planned at the meter;
    `target_solar_watts` is a ceiling on PV production, not a forecast (None: no ceiling).
    """

    target_battery_power_watts: float
    target_export_watts: float
    target_solar_watts: float | None
    battery_mode: BatteryFlowMode


@dataclass(frozen=True, slots=True)
class SiteTotals:
    """Sums over the inverters that answer, in W; None while they cannot be known (no meter for the load)."""

    site_watts: float | None = None
    load_watts: float | None = None
    ac_watts: float = 0.0
    pv_watts: float = 0.0
    battery_watts: float = 0.0


@dataclass(frozen=True, slots=True)
class ControlState:
    """The memory of the loop between two steps. A new plant starts with `ControlState()`."""


@dataclass(frozen=True, slots=True)
class CycleResult:
    """Everything about one cycle.

    `commands` holds one command for every inverter that answers and may be controlled, also in shadow mode
    (`control.enabled: false`), where they are shown and not sent. `reasons` says what decided for the site as a whole.
    `state` goes into the next step. `mode` is "failsafe" while the meter is silent, "waiting" until the first samples are there (no commands then).
    """

    snapshot: SiteSnapshot
    envelope: OperatingEnvelope
    flow: BatteryPowerFlow | None
    commands: tuple[InverterCommand, ...]
    reasons: tuple[str, ...] = ()
    totals: SiteTotals = field(default_factory=SiteTotals)
    mode: Mode = "normal"
    state: ControlState = field(default_factory=ControlState)

    def command(self, inverter: str) -> InverterCommand | None:
        """The command for one inverter, or None where there is none."""
        return next((command for command in self.commands if command.inverter == inverter), None)
