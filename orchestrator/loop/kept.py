"""What outlives a restart of the loop, so that a bug never lifts a limit, and a proof need not be found twice."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.loop.meter_sign import MeterSign
from orchestrator.setpoints.merge import Setpoint


@dataclass(slots=True)
class Kept:
    """The loop writes it, and nobody else does while it runs.

    `setpoints` has the newest of each source by its name; `sign` is what is known of the meter's, None before anything
    is.
    """

    setpoints: dict[str, Setpoint] = field(default_factory=dict)
    sign: MeterSign | None = None
