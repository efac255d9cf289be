"""The loop in virtual time as tests use it: what is wanted is said in one line, devices are away or silent by name."""

from __future__ import annotations

from orchestrator import control
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import ControlState
from orchestrator.decide.records import CycleResult
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge
from orchestrator.simulation.network.virtual import InverterFault, MeterDefect
from orchestrator.simulation.virtual_time import Moment, VirtualTime

__all__ = ["ClosedLoop", "Moment"]


class ClosedLoop(VirtualTime):
    """A plant under control. Change `site`, `wanted`, `away` or `meter_silent` between calls of `run`."""

    def __init__(self, config: SiteConfig) -> None:
        self.wanted = SetpointFields()
        self.away: set[str] = set()
        self.meter_silent = False
        super().__init__(config, controller=self._decide)

    def _decide(
        self,
        config: SiteConfig,
        state: ControlState,
        snapshot: SiteSnapshot,
        _envelope: OperatingEnvelope,
        now_s: float,
    ) -> CycleResult:
        return control.step(config, state, self.seen(snapshot), self.envelope(), now_s)

    def seen(self, snapshot: SiteSnapshot) -> SiteSnapshot:
        """What is decided on, for plants whose devices say something else than the virtual ones."""
        return snapshot

    def run(self, seconds: float) -> list[Moment]:
        """Let the plant run; returns the moments of this time."""
        self.inverter_faults = dict.fromkeys(self.away, InverterFault.OFFLINE)
        self.meter_fault = MeterDefect.SILENT if self.meter_silent else None
        return super().run(seconds)

    def envelope(self) -> OperatingEnvelope:
        """Only what was asked for here."""
        return merge([Setpoint("fixed", self.wanted)])

    def ask(self, **fields: object) -> None:
        """Replace what is wanted, from the next cycle on."""
        self.wanted = SetpointFields(**fields)  # type: ignore[arg-type]
