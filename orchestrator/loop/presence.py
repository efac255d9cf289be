"""Which inverters answer: who is waited for, whose sample counts, who is away."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.config.overrides import apply_overrides
from orchestrator.config.sections import AnyInverterConfig, InverterConfig, SiteConfig
from orchestrator.decide.meter.silence import is_too_old
from orchestrator.loop.messages import Obeyed
from orchestrator.reason import Reason, because
from orchestrator.samples import METER, InverterSample, MeterSample, SiteSnapshot

SILENT_INTERVALS = 2
"""For how many control intervals an inverter may say nothing before it counts as away."""

GAPS = 4
SLOW_PART = 1.5
"""A reading is several requests, not the same in each cycle, and each may take as long as one reply may. So of the last
few gaps between samples the second longest is what one may need again, and the longest may have been a silence. That
much later it has fallen silent."""


def patience_s(config: AnyInverterConfig, interval_s: float) -> float:
    """How long an inverter may say nothing: one that is known to be slow has as long as one reply may take.

    On a serial line readings wait for each other: there only the age of its sample counts.
    """
    if not isinstance(config, InverterConfig):
        return SILENT_INTERVALS * interval_s
    if config.line is not None:
        return inf
    return max(SILENT_INTERVALS * interval_s, config.timeout_s, seldom_s(config))


def seldom_s(config: AnyInverterConfig) -> float:
    """How old the sample may be of one that must not be read in every cycle: its next is there by then. Else 0."""
    if not isinstance(config, InverterConfig) or config.interval_s is None:
        return 0.0
    return config.interval_s + config.timeout_s


class Presence(Struct, frozen=True):
    """What one inverter has said so far.

    After `patience_s` without a word it is away. `heard_at_s` is when it last reported, `last_cycle` the newest cycle
    that it reported for. `fault` is the kind of its last failure, None since it answered, and `trouble` says
    more of it. `late` says that it was too slow the last time: its next sample is taken when it comes, not waited for.
    `seldom_s` is how old its sample may be where that is more than the sample window of the site. `obeyed` is the
    command that it has last reported to obey. `gaps_s` are the times between its last samples on end, `GAPS` at
    most.
    """

    patience_s: float
    sample: InverterSample | None = None
    fault: str | None = None
    heard_at_s: float | None = None
    last_cycle: int = 0
    late: bool = False
    trouble: Reason | None = None
    seldom_s: float = 0.0
    obeyed: Obeyed | None = None
    gaps_s: tuple[float, ...] = ()

    @property
    def silent_after_s(self) -> float:
        """After how long without a word it is away: one that has taken longer for its readings may do so again."""
        second_s = sorted(self.gaps_s)[-2] if len(self.gaps_s) > 1 else 0.0
        return max(self.patience_s, SLOW_PART * second_s)

    @property
    def has_reported(self) -> bool:
        """Whether it ever said anything, be it a fault."""
        return self.heard_at_s is not None

    def reported(
        self,
        cycle: int,
        sample: InverterSample | None,
        fault: str | None,
        *,
        now_s: float,
        in_time: bool,
        trouble: Reason | None = None,
        obeyed: Obeyed | None = None,
    ) -> Presence:
        """After a report for `cycle`: a sample, or its fault. `in_time`: while it could still be waited for."""
        return replace(
            self,
            sample=self.sample if sample is None else sample,
            fault=fault,
            heard_at_s=now_s,
            last_cycle=cycle,
            late=not in_time,
            trouble=trouble,
            obeyed=obeyed,
            gaps_s=self._gaps_s(sample, now_s),
        )

    def _gaps_s(self, sample: InverterSample | None, now_s: float) -> tuple[float, ...]:
        if sample is None or self.sample is None or self.heard_at_s is None or self.fault is not None:
            return ()
        return (*self.gaps_s, now_s - self.heard_at_s)[-GAPS:]

    def obeys(self, since_s: float, now_s: float) -> bool:
        """Whether it obeys a command that was issued at `since_s` or later, and needs no renewal now."""
        return self.obeyed is not None and self.obeyed.issued_at_s >= since_s and now_s < self.obeyed.until_s

    @property
    def why_away(self) -> Reason:
        """Why it does not answer."""
        if not self.has_reported:
            return because("not_heard_yet")
        if self.fault is not None:
            return self.trouble or because("reading_failed", kind=self.fault)
        if self.patience_s == inf:
            return because("reading_too_old")
        return because("silent_for", seconds=round(self.silent_after_s, 1))

    def waited_in_vain(self, cycle: int) -> Presence:
        """After the whole time for the reports of `cycle` has passed."""
        return replace(self, late=self.late or self.last_cycle < cycle)

    def is_away(self, now_s: float, sample_window_s: float) -> bool:
        """Whether it does not answer: its last attempt failed, or it has fallen silent, or its sample is too old."""
        if self.sample is None or self.heard_at_s is None or self.fault is not None:
            return True
        window_s = max(sample_window_s, self.seldom_s)
        return now_s - self.heard_at_s > self.silent_after_s or now_s - self.sample.at_s > window_s

    def is_awaited(self, cycle: int, now_s: float, sample_window_s: float) -> bool:
        """Whether the decision of `cycle` waits for its report."""
        if self.last_cycle >= cycle or self.late:
            return False
        return not self.has_reported or not self.is_away(now_s, sample_window_s)


def expected(config: AnyInverterConfig, interval_s: float, *, late: bool = False) -> Presence:
    """One that has said nothing yet; `late`: nobody waits for its first sample."""
    return Presence(patience_s(config, interval_s), late=late, seldom_s=seldom_s(config))


def freeze(
    presences: Mapping[str, Presence],
    meter: MeterSample | None,
    config: SiteConfig,
    now_s: float,
    meter_trouble: Reason | None = None,
) -> SiteSnapshot:
    """The picture that one decision is made from: the newest samples of those that answer, and who does not and why.

    `presences` holds what the devices say of themselves; what site.yaml says of them is applied here, as it is now.
    `meter_trouble`: why the meter could not be read the last time, None where it could.
    """
    samples: list[InverterSample] = []
    away: list[str] = []
    last_heard: list[InverterSample] = []
    stated = {inverter.name: inverter for inverter in config.inverters}
    for name, each in presences.items():
        sample = None if each.sample is None else apply_overrides(stated[name], each.sample)
        if sample is None or each.is_away(now_s, config.control.sample_window_s):
            away.append(name)
            last_heard += [] if sample is None else [sample]
        else:
            samples.append(sample)
    fresh = None if meter is None or is_too_old(config, meter, now_s) else meter
    troubles = {name: presences[name].why_away for name in away}
    if fresh is None:
        troubles[METER] = meter_trouble or because("meter_not_heard")
    return SiteSnapshot(now_s, fresh, tuple(samples), tuple(away), tuple(last_heard), troubles)
