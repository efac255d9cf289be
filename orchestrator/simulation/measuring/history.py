"""A stretch of a run: what measures and expectations are taken from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import fsum, inf

from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import InverterSimulation, SimulationConfig
from orchestrator.simulation.measuring.ideal import Ideal, ideal
from orchestrator.simulation.virtual_time import Moment


@dataclass(frozen=True)
class Run:
    """A stretch of a run: its moments, one for each `period_s`, and the plant that it was made with."""

    simulation: SimulationConfig
    moments: Sequence[Moment]
    period_s: float = 1.0

    @classmethod
    def of(cls, config: SiteConfig, moments: Sequence[Moment]) -> Run:
        """A run of this site. Raises ValueError where it has nothing to simulate."""
        if config.simulation is None:
            raise ValueError("a site without `simulation:` has no run")
        return cls(config.simulation, moments, config.control.interval_s)

    def between(self, from_s: float, to_s: float = inf) -> Run:
        """The moments after `from_s`, up to and with `to_s`."""
        return replace(self, moments=[m for m in self.moments if from_s < m.at_s <= to_s])

    def index(self, inverter: str) -> int:
        """Where an inverter is in `Moment.powers`. Raises KeyError for an unknown name."""
        if inverter not in self.simulation.inverters:
            raise KeyError(inverter)
        return list(self.simulation.inverters).index(inverter)

    @property
    def inverters(self) -> tuple[InverterSimulation, ...]:
        """The inverters, in the order of `Moment.powers`."""
        return tuple(self.simulation.inverters.values())

    @property
    def nameplate_watts(self) -> float:
        """Sum of the ratings."""
        return fsum(inverter.ac_rating_watts for inverter in self.inverters)

    @cached_property
    def ideals(self) -> Sequence[Ideal]:
        """What each moment could have been."""
        return [ideal(self.inverters, m.powers, m.load_watts, m.wanted) for m in self.moments]
