"""Hybrids whose PV collapses when their battery is turned from charging to discharging without a rest between."""

from __future__ import annotations

from orchestrator.config.simulation import InverterSimulation
from orchestrator.simulation.physics import Controls

AT_REST_WATTS = 100.0


class Turning:
    """Watches what the battery of one inverter is told to do, and does. Without `turn_idle_s` it never collapses."""

    def __init__(self, settings: InverterSimulation) -> None:
        self._settings = settings
        self._rested_s = settings.turn_idle_s
        self._charging = False
        self._collapsed_s = 0.0

    def advance(self, controls: Controls, battery_watts: float, dt_s: float) -> bool:
        """Whether the PV is gone for the next `dt_s`, in which these controls hold. `battery_watts` is now."""
        if not self._settings.turn_idle_s:
            return False
        direction = _direction(controls)
        if direction < 0 and self._charging and self._rested_s < self._settings.turn_idle_s:
            self._collapsed_s = self._settings.collapse_s
        collapsed = self._collapsed_s > 0
        self._collapsed_s = max(self._collapsed_s - dt_s, 0.0)
        self._charging = direction > 0 or (self._charging and direction == 0)
        rests = direction == 0 and abs(battery_watts) <= AT_REST_WATTS
        self._rested_s = self._rested_s + dt_s if rests else 0.0
        return collapsed


def _direction(controls: Controls) -> int:
    """What the window demands: +1 charging, -1 discharging, 0 rest or the battery's own choice."""
    if controls.low_watts is not None and controls.low_watts > 0:
        return 1
    return -1 if controls.high_watts is not None and controls.high_watts < 0 else 0
