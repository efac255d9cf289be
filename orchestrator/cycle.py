"""One record per control cycle: what was seen, what was decided, and why. MQTT, metrics, log and table all read it."""

from __future__ import annotations

from msgspec import Struct, field

from orchestrator.commands import InverterCommand
from orchestrator.decide.memory import ControlState, MeterFault
from orchestrator.decide.plant.headroom import LiveNumbers
from orchestrator.decide.power_flow import BatteryPowerFlow
from orchestrator.decide.records import Mode, SiteTotals
from orchestrator.reason import Reason
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints.merge import OperatingEnvelope


class CycleResult(Struct, frozen=True):
    """Everything about one cycle.

    `commands` holds one command for every inverter that answers and may be controlled, also in shadow mode
    (`control.enabled: false`), where they are shown and not sent. `reasons` says what decided for the site as a whole.
    `state` goes into the next step. `cycle` counts the cycles since the start of the site. `not_following` names the
    batteries that have not followed their command for 30 s. `mode` is "failsafe" while there is a `meter_fault`,
    "waiting" until the first samples are there (no commands then).
    """

    snapshot: SiteSnapshot
    envelope: OperatingEnvelope
    flow: BatteryPowerFlow | None
    commands: tuple[InverterCommand, ...]
    reasons: tuple[Reason, ...] = ()
    totals: SiteTotals = field(default_factory=SiteTotals)
    mode: Mode = "normal"
    meter_fault: MeterFault | None = None
    not_following: tuple[str, ...] = ()
    live: LiveNumbers = field(default_factory=LiveNumbers)
    state: ControlState = field(default_factory=ControlState)
    cycle: int = 0

    def command(self, inverter: str) -> InverterCommand | None:
        """The command for one inverter, or None where there is none."""
        return next((command for command in self.commands if command.inverter == inverter), None)
