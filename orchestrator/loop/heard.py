"""What the devices have said so far: the newest sample of each, who is waited for, and the meter in the right sign."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.config.changes import Changes
from orchestrator.config.sections import SiteConfig
from orchestrator.loop import meter_sign
from orchestrator.loop.kept import Kept
from orchestrator.loop.messages import Command, Report
from orchestrator.loop.meter_sign import MeterSign
from orchestrator.loop.presence import expected, freeze
from orchestrator.loop.reconfiguration import presences_after
from orchestrator.reason import Reason
from orchestrator.samples import InverterSample, MeterSample, SiteSnapshot


class Heard:
    """The reports of all devices of one site. What is learned of the meter's sign goes into `kept`."""

    def __init__(self, config: SiteConfig, kept: Kept) -> None:
        self._kept = kept
        known = kept.sign if config.meter.sign == "auto" else None
        self._know_sign(known or meter_sign.initial(config.meter.sign))
        self._config = config
        interval_s = config.control.interval_s
        self._presences = {each.name: expected(each, interval_s) for each in config.inverters}
        self._meter: MeterSample | None = None
        self._meter_trouble: Reason | None = None
        self._new_value_at_s: float | None = None
        self._still_out = ""

    @property
    def new_value_at_s(self) -> float | None:
        """When the meter changed to a value that nobody has decided on yet; None while there is none."""
        return self._new_value_at_s

    @property
    def site_watts(self) -> float | None:
        """What the meter shows, import +; None before it has spoken."""
        return None if self._meter is None else meter_sign.oriented(self._sign, self._meter).site_watts

    @property
    def is_whole(self) -> bool:
        """Whether every device has spoken at least once, be it of a fault."""
        return self._meter is not None and all(each.has_reported for each in self._presences.values())

    def is_inverter(self, name: str) -> bool:
        """Whether a report of this sender is that of an inverter; all others are the meter's."""
        return name in self._presences

    def take_inverter(self, report: Report, *, now_s: float, in_time: bool) -> None:
        """An inverter has reported; `in_time`: while it could still be waited for."""
        sample = report.sample if isinstance(report.sample, InverterSample) else None
        self._presences[report.sender] = self._presences[report.sender].reported(
            report.cycle,
            sample,
            report.fault,
            now_s=now_s,
            in_time=in_time,
            trouble=report.why,
            obeyed=report.obeyed,
        )

    def obeys(self, first: Command, now_s: float) -> bool:
        """Whether an inverter has reported that it obeys this command or a later one, and no renewal is due."""
        presence = self._presences.get(first.command.inverter)
        return presence is not None and presence.obeys(first.issued_at_s, now_s)

    def take_meter(self, sample: MeterSample) -> None:
        """The meter has answered, in its own sign."""
        if self._meter is None or sample.changed_at_s > self._meter.changed_at_s:
            self._new_value_at_s = sample.changed_at_s
        self._meter, self._meter_trouble = sample, None
        self._know_sign(meter_sign.observe(self._sign, sample))

    def miss_meter(self, trouble: Reason | None) -> None:
        """The meter could not be read, and why."""
        self._meter_trouble = trouble

    def turn_meter(self) -> MeterSign:
        """The plant's own moves prove that the sign is wrong; what is known of it now."""
        self._know_sign(meter_sign.turned(self._sign))
        return self._sign

    def awaited(self, cycle: int, now_s: float) -> Iterator[str]:
        """The inverters whose reports `cycle` still waits for."""
        window_s = self._config.control.sample_window_s
        return (name for name, each in self._presences.items() if each.is_awaited(cycle, now_s, window_s))

    def waits_for_nobody(self, cycle: int, now_s: float) -> bool:
        """Whether all that `cycle` waits for have reported. Asked after each report: so who is still out is kept."""
        last = self._presences.get(self._still_out)
        if last is not None and last.is_awaited(cycle, now_s, self._config.control.sample_window_s):
            return False
        self._still_out = max(self.awaited(cycle, now_s), default="")
        return not self._still_out

    def give_up_waiting(self, cycle: int) -> None:
        """The time for the reports of `cycle` is over: who has not reported is late."""
        self._presences = {name: each.waited_in_vain(cycle) for name, each in self._presences.items()}

    def decided_on(self) -> None:
        """The meter's value is decided on now, also one that came while the inverters were read."""
        self._new_value_at_s = None

    def snapshot(self, now_s: float) -> SiteSnapshot:
        """The picture for one decision, the meter import +."""
        meter = None if self._meter is None else meter_sign.oriented(self._sign, self._meter)
        return freeze(self._presences, meter, self._config, now_s, self._meter_trouble)

    def reconfigure(self, config: SiteConfig, changes: Changes) -> None:
        """Other devices: what is known of those that stay holds on. Another meter has to prove its sign anew."""
        if config.meter != self._config.meter:
            self._know_sign(meter_sign.initial(config.meter.sign))
        self._presences = presences_after(self._presences, config, changes)
        self._config = config

    def _know_sign(self, sign: MeterSign) -> None:
        self._sign = self._kept.sign = sign
