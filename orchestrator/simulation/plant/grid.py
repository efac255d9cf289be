"""The grid connection of the virtual site: what flows on each phase, and the voltage that the line makes of it."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import SimulationConfig
from orchestrator.decide.plant.phases import PHASES, phase_parts
from orchestrator.simulation.plant.in_time import InverterInTime
from orchestrator.simulation.plant.meter import Phases


class GridConnection:
    """A line of `ohms` on each phase. `trips` counts how often an inverter has left the grid for its voltage."""

    def __init__(self, config: SiteConfig, simulation: SimulationConfig) -> None:
        self.settings = simulation.grid
        self.volts = self.settings.volts
        """Where no power flows; to be changed."""
        self.trips = 0
        total = sum(simulation.load.phase_parts)
        self._load_parts = tuple(part / total for part in simulation.load.phase_parts)
        self._parts = {each.name: phase_parts(each) for each in config.inverters}
        even_load = simulation.load.phase_parts.count(simulation.load.phase_parts[0]) == PHASES
        self._is_even = even_load and all(each.phase is None for each in config.inverters)

    def flow(self, load_watts: float, units: Mapping[str, InverterInTime]) -> Phases:
        """What flows (import +) and the voltages. While all phases are alike there are no powers of each."""
        if self._is_even and not self.settings.ohms:
            return Phases((), (self.volts,) * PHASES)
        watts = [load_watts * part for part in self._load_parts]
        for name, unit in units.items():
            for phase, part in enumerate(self._parts[name]):
                watts[phase] -= part * unit.inverter.state.ac_watts
        ohms, at_rest = self.settings.ohms, self.volts
        volts = tuple(at_rest - ohms * each / at_rest for each in watts)
        return Phases(() if self._is_even else tuple(watts), volts)

    def trip(self, volts: tuple[float, ...], units: Mapping[str, InverterInTime], at_s: float) -> None:
        """Take the inverters off the grid whose phase has too much of a voltage."""
        limit = self.settings.trip_volts
        if limit is None or max(volts) <= limit:
            return
        for name, unit in units.items():
            highest = max(each for each, part in zip(volts, self._parts[name], strict=True) if part)
            if highest > limit and unit.tripped_until_s <= at_s:
                unit.tripped_until_s = at_s + self.settings.trip_s
                self.trips += 1
