"""One step of the loop: snapshot and envelope in, one command per inverter out."""

from __future__ import annotations

from orchestrator.config import SiteConfig
from orchestrator.cycle import ControlState, CycleResult
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints import OperatingEnvelope


def step(
    config: SiteConfig, state: ControlState, snapshot: SiteSnapshot, envelope: OperatingEnvelope, now: float
) -> CycleResult:
    """Decide one cycle. `now` is in monotonic seconds, the clock of the snapshot."""
    raise NotImplementedError
