"""The loop in virtual time: the pure core against the pure virtual site, no sockets, no waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from orchestrator import control
from orchestrator.config import SiteConfig
from orchestrator.cycle import ControlState, CycleResult
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints import OperatingEnvelope, Setpoint, SetpointFields, merge
from orchestrator.simulation.site import VirtualSite

DEVICE_LATENCY_S = 0.05


@dataclass(frozen=True)
class Moment:
    """One second of the loop: the physics' own meter power (import +), and the decision made in it."""

    at_s: float
    site_watts: float
    result: CycleResult


@dataclass
class ClosedLoop:
    """A plant under control. Change `site`, `wanted`, `away` or `meter_silent` between calls of `run`."""

    config: SiteConfig
    wanted: SetpointFields = field(default_factory=SetpointFields)
    away: set[str] = field(default_factory=set)
    meter_silent: bool = False
    period_s: float = 1.0
    history: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.site = VirtualSite(self.config)
        self.state = ControlState()
        self.now_s = 0.0
        self._meter = self.site.meter_sample(0.0)

    def run(self, seconds: float) -> list[Moment]:
        """Let the plant run; returns the moments of this time."""
        start = len(self.history)
        for _ in range(round(seconds / self.period_s)):
            self.site.advance(self.period_s - DEVICE_LATENCY_S)
            self.now_s += self.period_s - DEVICE_LATENCY_S
            result = self._step()
            self.site.advance(DEVICE_LATENCY_S)
            self.now_s += DEVICE_LATENCY_S
            for command in result.commands:
                if command.inverter not in self.away:
                    self.site.apply(command, self.site.now_s)
            self.history.append(Moment(self.now_s, self.true_site_watts, result))
        return self.history[start:]

    @property
    def true_site_watts(self) -> float:
        """Power at the meter right now, import +, as the physics has it."""
        return self.site.load_watts - sum(i.state.ac_watts for i in self.site.inverters.values())

    def ask(self, **fields: object) -> None:
        """Replace what is wanted."""
        self.wanted = SetpointFields(**fields)  # type: ignore[arg-type]

    def _step(self) -> CycleResult:
        if not self.meter_silent:
            self._meter = self.site.meter_sample(self.now_s)
        names = [i.name for i in self.config.inverters]
        snapshot = SiteSnapshot(
            at_s=self.now_s,
            meter=self._meter,
            inverters=tuple(self.site.inverter_sample(n, self.now_s) for n in names if n not in self.away),
            away=tuple(sorted(self.away)),
        )
        envelope: OperatingEnvelope = merge([Setpoint("fixed", self.wanted)])
        result = control.step(self.config, self.state, snapshot, envelope, self.now_s)
        self.state = result.state
        return result
