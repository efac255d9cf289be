"""What outlives a restart of the loop, so that a bug never lifts a limit, and a proof need not be found twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.decide.failsafe import NO_MEMORIES
from orchestrator.decide.memory import InverterMemory
from orchestrator.loop.meter_sign import MeterSign
from orchestrator.setpoints.merge import Setpoint


@dataclass(slots=True)
class Kept:
    """The loop writes it, and nobody else does while it runs.

    `setpoints` has the newest of each source by its name, `heard` the names of those that ever said anything; `sign` is
    what is known of the meter's, None before anything is. `memories` are of the last decision: which limits are where.
    """

    setpoints: dict[str, Setpoint] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    sign: MeterSign | None = None
    memories: Mapping[str, InverterMemory] = field(default_factory=lambda: NO_MEMORIES)
