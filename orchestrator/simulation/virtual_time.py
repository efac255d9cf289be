"""The loop in virtual time: the pure core against the pure physics, as fast as this machine can, without waiting.

    loop = VirtualTime(config)
    loop.receive(Setpoint("mqtt", SetpointFields(export_limit_watts=0.0), loop.now_s))
    loop.site.set_load(3000.0)
    loop.inverter_faults["west"] = InverterFault.OFFLINE
    moments = loop.run(60)

Devices are seen and commanded as over a network: a sample is what was true `latency_s` ago, a command arrives as much
later. The same configuration, seed and calls give the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf
from random import Random

from orchestrator import control
from orchestrator.commands import InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.cycle import CycleResult
from orchestrator.decide.failsafe import final_commands
from orchestrator.decide.memory import ControlState
from orchestrator.decide.records import Mode
from orchestrator.loop.cadence import FIRST_SAMPLES_WAIT_S
from orchestrator.loop.in_force import in_force, is_stricter
from orchestrator.loop.presence import Attendance, freeze, patience_s
from orchestrator.quick_init import quick_init
from orchestrator.samples import InverterSample, MeterSample, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge
from orchestrator.simulation.physics import PowerState
from orchestrator.simulation.site import METER, VirtualSite

LEAST_LATENCY_S = 0.05
"""No device is faster than this, whatever its `latency_s` says."""

Controller = Callable[[SiteConfig, ControlState, SiteSnapshot, OperatingEnvelope, float], CycleResult]
"""Who decides: `control.step`, or something to compare it with."""


class InverterFault(StrEnum):
    """What is wrong between one inverter and its reader. The inverter itself goes on working."""

    OFFLINE = "offline"
    """No connection: it is known to be away at once, commands are lost."""
    SILENT = "silent"
    """Connected, but no answer: it is away after a while, commands are lost."""
    EXCEPTIONS = "exceptions"
    """Every request is refused."""
    RESETTING = "resetting"
    """Half of each reply, then a reset: commands have their effect, samples do not arrive."""
    FROZEN = "frozen"
    """It answers with what it said when it froze. Commands have their effect."""


KIND = {
    InverterFault.OFFLINE: "connection",
    InverterFault.EXCEPTIONS: "refused",
    InverterFault.RESETTING: "connection",
}
"""The kind of failure that is reported at once; a silent device just does not report."""

DEAF = frozenset({InverterFault.OFFLINE, InverterFault.SILENT, InverterFault.EXCEPTIONS})


class MeterFault(StrEnum):
    """What is wrong with the meter."""

    SILENT = "silent"
    FROZEN = "frozen"
    """It answers with one value for ever."""
    REVERSED = "reversed"
    """It is mounted the wrong way round: power and counters say import for export."""


@quick_init
@dataclass(frozen=True, slots=True)
class Moment:
    """One cycle: what was true when the meter was read, and what was decided on it at `at_s`.

    `site_watts` (import +), `load_watts` and `powers` (in the order of the inverters) are the physics' own, whatever
    the meter says. `wanted` is what the sources ask for. `mode` and `reasons` are the decision's for the whole site.
    While the orchestrator is dead `mode` is None and there are no commands; `result` is also None where results are not
    kept.
    """

    at_s: float
    site_watts: float
    load_watts: float
    powers: tuple[PowerState, ...]
    wanted: SetpointFields
    commands: tuple[InverterCommand, ...] = ()
    mode: Mode | None = None
    reasons: tuple[str, ...] = ()
    result: CycleResult | None = None


class VirtualTime:
    """A plant under control. Between calls of `run` change the knobs of `site`, the faults, or what is asked for."""

    def __init__(self, config: SiteConfig, *, controller: Controller = control.step, keep_results: bool = True) -> None:
        """Raise ValueError where `config` has nothing to simulate."""
        self.config = config
        self.site = VirtualSite(config)
        self.state = ControlState()
        self.now_s = 0.0
        self.history: list[Moment] = []
        self.inverter_faults: dict[str, InverterFault] = {}
        self.meter_fault: MeterFault | None = None
        self._controller = controller
        self._keep_results = keep_results
        self._received: dict[str, Setpoint] = {}
        self._ways = _make_ways(self.site)
        self._started_s: float | None = 0.0
        self._attendance: dict[str, Attendance] = {}
        self._meter: MeterSample | None = None
        self._wanted = SetpointFields()
        self._envelope = OperatingEnvelope()
        self._envelope_until_s = -inf
        self._forget()

    # Time

    def run(self, seconds: float) -> list[Moment]:
        """Let the plant run and keep the moments in `history`; returns those of this time."""
        moments = list(self.play(seconds))
        self.history.extend(moments)
        return moments

    def play(self, seconds: float) -> Iterator[Moment]:
        """Let the plant run, one cycle for each moment that is taken; nothing is kept."""
        for _ in range(round(seconds / self.config.control.interval_s)):
            yield self._cycle()

    # What happens to it

    def receive(self, setpoint: Setpoint) -> None:
        """A setpoint arrives. A limit that falls is decided on at once, anything else with the next cycle."""
        self._received[setpoint.source] = setpoint
        self._envelope_until_s = -inf
        if self._started_s is not None and is_stricter(self._wanted, self.envelope().fields):
            self._decide(self._snapshot())

    def withdraw(self, source: str) -> None:
        """What this source asked for holds no more."""
        self._received.pop(source, None)
        self._envelope_until_s = -inf

    def kill(self) -> None:
        """The orchestrator is gone without a word; devices go on until their revert timers end."""
        self._started_s = None

    def stop(self) -> None:
        """The orchestrator stops in order: its last commands are still sent."""
        self._send(final_commands(self.config, self.envelope(), self._snapshot(), self.state.inverters))
        self.kill()

    def start(self) -> None:
        """The orchestrator starts, knowing nothing but the setpoints, which brokers keep for it."""
        self._started_s = self.now_s
        self.state = ControlState()
        self._forget()

    def envelope(self) -> OperatingEnvelope:
        """What is asked for now, by all sources together."""
        if self.now_s >= self._envelope_until_s:
            self._envelope = merge(in_force(self.config, self._received, self.now_s))
            ends_s = [each.expires_at_s for each in self._received.values() if each.expires_at_s is not None]
            self._envelope_until_s = min((end_s for end_s in ends_s if end_s > self.now_s), default=inf)
        return self._envelope

    @property
    def true_site_watts(self) -> float:
        """Power at the grid connection as it is now, import +."""
        return self.site.load_watts - sum(i.state.ac_watts for i in self.site.inverters.values())

    # One cycle

    def _cycle(self) -> Moment:
        self.now_s = max(self.now_s, self.site.now_s) + self.config.control.interval_s
        site_watts, powers = self._look()
        result = None if self._started_s is None else self._decide(self._snapshot())
        if result is None:
            self._wanted = self.envelope().fields
        return Moment(
            at_s=self.now_s,
            site_watts=site_watts,
            load_watts=self.site.load_watts,
            powers=powers,
            wanted=self._wanted,
            commands=result.commands if result else (),
            mode=result.mode if result else None,
            reasons=result.reasons if result else (),
            result=result if self._keep_results else None,
        )

    def _look(self) -> tuple[float, tuple[PowerState, ...]]:
        """Read every device at its own time; the true power when the meter was read, and the inverters' then."""
        meter_s = self.now_s - self._ways[METER].latency_s()
        read_s = {name: self.now_s - self._ways[name].latency_s() for name in self.site.inverters}
        for name, at_s in read_s.items():
            if at_s <= meter_s:
                self._read(name, at_s)
        site_watts = self.site.measure(meter_s)
        powers = tuple(inverter.state for inverter in self.site.inverters.values())
        self._meter = self._read_meter(self.site.meter_sample(self.now_s))
        for name, at_s in read_s.items():
            if at_s > meter_s:
                self._read(name, at_s)
        return site_watts, powers

    def _read(self, name: str, at_s: float) -> None:
        unit, fault = self.site.in_time[name], self.inverter_faults.get(name)
        if fault in DEAF:
            unit.lose_commands()
        unit.advance_to(at_s)
        if fault is InverterFault.SILENT:
            return
        before = self._attendance[name]
        sample: InverterSample | None = None
        if fault is InverterFault.FROZEN and before.sample is not None:
            sample = replace(before.sample, at_s=self.now_s)
        elif fault is None or fault is InverterFault.FROZEN:
            sample = self.site.inverter_sample(name, self.now_s)
        kind = KIND.get(fault) if fault else None
        self._attendance[name] = before.reported(0, sample, kind, now_s=self.now_s, in_time=True)

    def _read_meter(self, sample: MeterSample) -> MeterSample | None:
        fault, before = self.meter_fault, self._meter
        if fault is MeterFault.SILENT:
            return before
        if fault is MeterFault.FROZEN and before is not None:
            return replace(before, at_s=self.now_s)
        return _reversed(sample) if fault is MeterFault.REVERSED else sample

    def _snapshot(self) -> SiteSnapshot:
        return freeze(self._attendance, self._meter, self.config, self.now_s)

    def _decide(self, snapshot: SiteSnapshot) -> CycleResult:
        envelope = self.envelope()
        self._wanted = envelope.fields
        if self._is_waiting():
            return CycleResult(snapshot, envelope, None, (), ("waiting for the devices",), mode="waiting")
        result = self._controller(self.config, self.state, snapshot, envelope, self.now_s)
        self.state = result.state
        if self.config.control.enabled:
            self._send(result.commands)
        return result

    def _is_waiting(self) -> bool:
        """As the site does: until every device has spoken once, but not for ever."""
        if self._started_s is None or self.now_s - self._started_s >= FIRST_SAMPLES_WAIT_S:
            return False
        return self._meter is None or not all(each.has_reported for each in self._attendance.values())

    def _send(self, commands: tuple[InverterCommand, ...]) -> None:
        for command in commands:
            if self.inverter_faults.get(command.inverter) not in DEAF:
                arrives_at_s = self.now_s + self._ways[command.inverter].latency_s()
                self.site.in_time[command.inverter].send(command, arrives_at_s)

    def _forget(self) -> None:
        interval_s = self.config.control.interval_s
        self._attendance = {i.name: Attendance(patience_s(i, interval_s)) for i in self.config.inverters}
        self._meter = None


class _Way:
    """How long messages to and from one device take: `latency_s` +- `jitter_s`, at random but the same for a seed."""

    def __init__(self, seed: str, latency_s: float, jitter_s: float) -> None:
        self._latency_s = max(latency_s, LEAST_LATENCY_S)
        self._jitter_s = jitter_s
        self._dice = Random(seed)

    def latency_s(self) -> float:
        if not self._jitter_s:
            return self._latency_s
        return max(self._latency_s + self._dice.uniform(-self._jitter_s, self._jitter_s), LEAST_LATENCY_S)


def _make_ways(site: VirtualSite) -> dict[str, _Way]:
    seed, meter = site.simulation.seed, site.simulation.meter
    ways = {
        name: _Way(f"way/{seed}/{name}", inverter.settings.latency_s, inverter.settings.jitter_s)
        for name, inverter in site.inverters.items()
    }
    return {**ways, METER: _Way(f"way/{seed}", meter.latency_s, meter.jitter_s)}


def _reversed(sample: MeterSample) -> MeterSample:
    return replace(
        sample,
        site_watts=-sample.site_watts,
        phase_watts=tuple(-watts for watts in sample.phase_watts),
        import_wh=sample.export_wh,
        export_wh=sample.import_wh,
    )
