"""The state messages of one MQTT device: from bytes to the sample that holds, the newest good one while it is young."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from msgspec.structs import replace

from orchestrator.devices.mqtt.messages import SiteSample
from orchestrator.errors import PayloadError
from orchestrator.samples import InverterSample, MeterSample
from orchestrator.setpoints.intake import Arrival

SampleT = TypeVar("SampleT", InverterSample, MeterSample, SiteSample)


class DeviceIntake(Generic[SampleT]):
    """The memory of one device. `read` turns a message into a sample, or raises PayloadError.

    `follow` makes of a new sample and the one before it what is kept.
    """

    def __init__(
        self,
        read: Callable[[Arrival], SampleT],
        max_age_s: float,
        follow: Callable[[SampleT, SampleT], SampleT] = lambda sample, _before: sample,
    ) -> None:
        self._read: Callable[[Arrival], SampleT] = read
        self._max_age_s = max_age_s
        self._follow: Callable[[SampleT, SampleT], SampleT] = follow
        self._sample: SampleT | None = None

    def take(self, arrivals: Sequence[Arrival]) -> tuple[bool, tuple[PayloadError, ...]]:
        """Take a batch, oldest first. Whether there is a newer sample, and why messages were refused.

        A refused message changes nothing: the last good sample goes on ageing.
        """
        is_new, reasons = False, []
        for arrival in arrivals:
            try:
                sample = self._read(arrival)
            except PayloadError as error:
                reasons.append(error)
                continue
            before = self._sample
            if before is None or sample.at_s >= before.at_s:
                self._sample, is_new = sample if before is None else self._follow(sample, before), True
        return is_new, tuple(reasons)

    def sample(self, now_s: float) -> SampleT | None:
        """The newest sample; None while there is none that is younger than `max_age_s`."""
        if self._sample is None or now_s - self._sample.at_s > self._max_age_s:
            return None
        return self._sample


def with_change(sample: MeterSample, before: MeterSample) -> MeterSample:
    """The sample with the time of its last change: a message that says the same again is no new value."""
    same = replace(before, at_s=sample.at_s) == replace(sample, changed_at_s=before.changed_at_s)
    return replace(sample, changed_at_s=before.changed_at_s) if same else sample


def held_until_too_old(sample: MeterSample, now_s: float, *, max_age_s: float, silent_after_s: float) -> MeterSample:
    """The sample as the site is told it: it counts as silent when it is `max_age_s` old, not before and not later.

    The site takes a meter for silent `silent_after_s` after it last answered, because it polls one. This one is not
    polled: until `max_age_s` is over, its last message is its answer.
    """
    answered_s = sample.at_s + max_age_s - silent_after_s
    return replace(sample, at_s=min(now_s, answered_s))
