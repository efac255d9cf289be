"""Which inverters answer: who is waited for, whose sample counts, who is away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from orchestrator.cadence import meter_silent_after_s
from orchestrator.config import ControlConfig
from orchestrator.samples import InverterSample, MeterSample, SiteSnapshot

SILENT_CYCLES_MAX = 2
"""An inverter that says nothing for this many whole cycles in a row is away."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """What one inverter has said so far.

    `fault` is the kind of its last failure, None since it answered. `last_cycle` is the newest cycle that it reported
    for, `silent_cycles` how many ended without a word from it, `heard` whether it spoke since the present one began.
    `late` says that it was too slow the last time: its next sample is taken when it comes, not waited for.
    """

    sample: InverterSample | None = None
    fault: str | None = None
    last_cycle: int = 0
    heard: bool = False
    silent_cycles: int = 0
    late: bool = False

    @property
    def has_reported(self) -> bool:
        """Whether it ever said anything, be it a fault."""
        return self.sample is not None or self.fault is not None

    def reported(self, cycle: int, sample: InverterSample | None, fault: str | None, *, in_time: bool) -> Attendance:
        """After a report for `cycle`: a sample, or the fault that kept it from having one."""
        return Attendance(sample or self.sample, fault, last_cycle=cycle, heard=True, late=not in_time)

    def began_cycle(self) -> Attendance:
        """At the beginning of another cycle."""
        return replace(self, heard=False, silent_cycles=0 if self.heard else self.silent_cycles + 1)

    def waited_in_vain(self, cycle: int) -> Attendance:
        """After the whole time for the reports of `cycle` has passed."""
        return replace(self, late=self.late or self.last_cycle < cycle)

    def is_away(self, now_s: float, sample_window_s: float) -> bool:
        """Whether it does not answer: its last attempt failed, or its sample is too old, or it has fallen silent."""
        if self.sample is None or self.fault is not None:
            return True
        return self.silent_cycles >= SILENT_CYCLES_MAX or now_s - self.sample.at_s > sample_window_s

    def is_awaited(self, cycle: int, now_s: float, sample_window_s: float) -> bool:
        """Whether the decision of `cycle` waits for its report."""
        if self.last_cycle >= cycle or self.late:
            return False
        return not self.has_reported or not self.is_away(now_s, sample_window_s)


def freeze(
    attendance: Mapping[str, Attendance], meter: MeterSample | None, config: ControlConfig, now_s: float
) -> SiteSnapshot:
    """The picture that one decision is made from: the newest samples of those that answer, and who does not."""
    samples: list[InverterSample] = []
    away: list[str] = []
    for name, each in attendance.items():
        if each.sample is None or each.is_away(now_s, config.sample_window_s):
            away.append(name)
        else:
            samples.append(each.sample)
    oldest_s = now_s - meter_silent_after_s(config.interval_s, config.sample_window_s)
    fresh = meter if meter is not None and meter.at_s >= oldest_s else None
    return SiteSnapshot(now_s, fresh, tuple(samples), tuple(away))
