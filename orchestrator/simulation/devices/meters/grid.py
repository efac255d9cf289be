"""What a meter at the grid connection measures of the virtual site, for the registers of any make."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.simulation.devices.sunspec.values import FREQUENCY_HZ
from orchestrator.simulation.plant.meter import SimulatedMeter

PHASE_SHARES = (0.5, 0.3, 0.2)
"""Of the site's power flows on each phase: unequal, so that a phase in the place of another one shows."""
PHASE_VOLTS = 230.0


class Grid:
    """The values of one meter, in W, Wh, V, A and Hz; power is positive as `simulation.meter.sign` says."""

    def __init__(self, meter: SimulatedMeter) -> None:
        self._meter = meter
        self.frequency_hz = FREQUENCY_HZ

    def watts(self) -> float:
        """Power of all phases."""
        turned = self._meter.settings.sign == "export_positive"
        return -self._meter.site_watts if turned else self._meter.site_watts

    def phase_watts(self, phase: int) -> Callable[[], float]:
        """Power of one phase (0 to 2)."""
        return lambda: self._of_phase(phase)

    def phase_amperes(self, phase: int) -> Callable[[], float]:
        """Current of one phase, never negative."""
        return lambda: abs(self._of_phase(phase)) / PHASE_VOLTS

    def import_wh(self) -> float:
        """Counter of imported energy."""
        return self._meter.import_wh

    def export_wh(self) -> float:
        """Counter of exported energy."""
        return self._meter.export_wh

    def phase_volts(self, phase: int) -> Callable[[], float]:
        """Voltage of one phase against the neutral."""
        return lambda: self._meter.phase_volts[phase]

    def _of_phase(self, phase: int) -> float:
        if not self._meter.phase_watts:
            return PHASE_SHARES[phase] * self.watts()
        turned = self._meter.settings.sign == "export_positive"
        return -self._meter.phase_watts[phase] if turned else self._meter.phase_watts[phase]

    def hertz(self) -> float:
        """Frequency."""
        return self.frequency_hz
