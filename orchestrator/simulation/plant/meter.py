"""The simulated meter at the grid connection: it measures all the time and publishes once a period."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.config.simulation import MeterSimulation
from orchestrator.simulation.physics import SECONDS_PER_HOUR
from orchestrator.simulation.plant.inverter import WORKED_BEFORE_WH

USUAL_VOLTS = 230.0


class Phases(NamedTuple):
    """Power (import +) and voltage of each phase at the grid connection. Without powers they share evenly."""

    watts: tuple[float, ...]
    volts: tuple[float, ...]


EVEN = Phases((), (USUAL_VOLTS,) * 3)


class SimulatedMeter:
    """Power (import +) and energy counters. `site_watts` is the last published value, `present_watts` the true one.

    `phase_watts` and `phase_volts` are published with it; no powers where all phases are alike.
    """

    def __init__(self, settings: MeterSimulation) -> None:
        self.settings = settings
        self.present_watts = 0.0
        self.site_watts = 0.0
        self.import_wh = WORKED_BEFORE_WH
        self.export_wh = WORKED_BEFORE_WH
        self.phase_watts, self.phase_volts = EVEN
        self.changed_at_s = 0.0
        self._present = EVEN
        self._publishes_at_s = 0.0

    def measure(self, now_s: float, dt_s: float, site_watts: float, phases: Phases | None = None) -> None:
        """`site_watts` has flowed for the `dt_s` before `now_s`, on these phases; None: what was there stays."""
        self.present_watts = site_watts
        self._present = phases or self._present
        self.import_wh += max(site_watts, 0.0) * dt_s / SECONDS_PER_HOUR
        self.export_wh += max(-site_watts, 0.0) * dt_s / SECONDS_PER_HOUR
        if now_s >= self._publishes_at_s:
            self._publish(now_s)

    def _publish(self, now_s: float) -> None:
        if self.present_watts != self.site_watts:
            self.changed_at_s = now_s
        self.site_watts = self.present_watts
        self.phase_watts, self.phase_volts = self._present.watts, self._present.volts
        periods = int((now_s - self._publishes_at_s) / self.settings.period_s) + 1
        self._publishes_at_s += periods * self.settings.period_s
