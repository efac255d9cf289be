"""Between the loop and the devices in virtual time: how long each way takes, what is lost on it, and what is garbled.

A sample is what was true `latency_s` ago, a command arrives as much later.
"""

from __future__ import annotations

from enum import StrEnum
from random import Random

from msgspec.structs import replace

from orchestrator.commands import InverterCommand
from orchestrator.loop.messages import Report
from orchestrator.samples import InverterSample, MeterSample
from orchestrator.simulation.physics import PowerState
from orchestrator.simulation.site import METER, VirtualSite

LEAST_LATENCY_S = 0.05
"""No device is faster than this, whatever its `latency_s` says."""


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


class MeterDefect(StrEnum):
    """What is wrong with the meter."""

    SILENT = "silent"
    FROZEN = "frozen"
    """It answers with one value for ever."""
    REVERSED = "reversed"
    """It is mounted the wrong way round: power and counters say import for export."""


class VirtualNetwork:
    """The ways to the devices of one virtual site. Change the faults whenever you like."""

    def __init__(self, site: VirtualSite) -> None:
        self.inverter_faults: dict[str, InverterFault] = {}
        self.meter_fault: MeterDefect | None = None
        self._site = site
        self._ways = _make_ways(site)
        self._answers: dict[str, Report | None] = {}
        self._samples: dict[str, InverterSample] = {}
        self._meter: MeterSample | None = None

    def look(self, now_s: float) -> tuple[float, tuple[PowerState, ...]]:
        """Have every device measure, so that its answer is there at `now_s`.

        Returns the true power at the grid connection when the meter measured, and the inverters' then.
        """
        meter_s = now_s - self._ways[METER].latency_s()
        read_s = {name: now_s - self._ways[name].latency_s() for name in self._site.inverters}
        for name, at_s in read_s.items():
            if at_s <= meter_s:
                self._answers[name] = self._read(name, at_s, now_s)
        site_watts = self._site.measure(meter_s)
        powers = tuple(inverter.state for inverter in self._site.inverters.values())
        self._answers[METER] = self._read_meter(now_s)
        for name, at_s in read_s.items():
            if at_s > meter_s:
                self._answers[name] = self._read(name, at_s, now_s)
        return site_watts, powers

    def ask(self, name: str, cycle: int, now_s: float) -> tuple[float, Report | None]:
        """Have one device measure now; when its answer comes, and what it will be (None: it never comes)."""
        arrives_at_s = now_s + self._ways[name].latency_s()
        if name == METER:
            self._site.measure(now_s)
            return arrives_at_s, self._read_meter(arrives_at_s)
        answer = self._read(name, now_s, arrives_at_s)
        return arrives_at_s, answer and replace(answer, cycle=cycle)

    def answer(self, name: str, cycle: int) -> Report | None:
        """What a device answers that is asked now, for this cycle; None where it says nothing."""
        answer = self._answers.get(name)
        return None if answer is None else Report(name, cycle, answer.sample, answer.fault)

    def send(self, command: InverterCommand, now_s: float) -> None:
        """A command leaves for its inverter; a deaf one never hears of it."""
        name = command.inverter
        if self.inverter_faults.get(name) not in DEAF:
            self._site.in_time[name].send(command, now_s + self._ways[name].latency_s())

    def forget(self) -> None:
        """Nobody has been read yet: there is nothing that a frozen device could repeat."""
        self._samples.clear()
        self._meter = None

    def _read(self, name: str, at_s: float, now_s: float) -> Report | None:
        """What an inverter that is asked at `at_s` answers, which is there at `now_s`."""
        unit, fault = self._site.in_time[name], self.inverter_faults.get(name)
        if fault in DEAF:
            unit.lose_commands()
        unit.advance_to(at_s)
        if fault in KIND:
            return Report(name, 0, fault=KIND[fault])
        if fault is InverterFault.SILENT:
            return None
        before = self._samples.get(name) if fault is InverterFault.FROZEN else None
        sample = self._site.inverter_sample(name, now_s) if before is None else replace(before, at_s=now_s)
        self._samples[name] = sample
        return Report(name, 0, sample)

    def _read_meter(self, now_s: float) -> Report | None:
        fault, before = self.meter_fault, self._meter
        if fault is MeterDefect.SILENT:
            return None
        if fault is MeterDefect.FROZEN and before is not None:
            self._meter = replace(before, at_s=now_s)
        else:
            self._meter = _since_when(before, self._as_the_meter_says(self._site.meter_sample(now_s)))
        return Report(METER, 0, self._meter)

    def _as_the_meter_says(self, sample: MeterSample) -> MeterSample:
        """The sample in the meter's own sign: that of its make, and of how it is mounted."""
        if self._site.simulation.meter.sign == "export_positive":
            sample = _turned(sample)
        if self.meter_fault is MeterDefect.REVERSED:
            return replace(_turned(sample), import_wh=sample.export_wh, export_wh=sample.import_wh)
        return sample


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


def _since_when(before: MeterSample | None, sample: MeterSample) -> MeterSample:
    """As the meter's actor does: a value that was read before is of the moment when it was first read."""
    if before is None or before.site_watts != sample.site_watts:
        return sample
    return replace(sample, changed_at_s=before.changed_at_s)


def _turned(sample: MeterSample) -> MeterSample:
    phases = tuple(-watts for watts in sample.phase_watts)
    return replace(sample, site_watts=-sample.site_watts, phase_watts=phases)
