"""When things are due: the next cycle, the next attempt after a failure, the next restart after a crash. Times in s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

READ_WAIT_S = 0.3
"""How long a cycle waits for the readings of its inverters: within this they count as taken at one moment."""

WATCHDOG_PART = 1.25
JITTER_PART = 0.05
"""Parts of an interval: after this a cycle begins without a new value; so much too early is in time."""

POLL_PATIENCE = 1.2
"""How long the next poll of the meter is waited for, in its polling intervals."""

DECISION_GAP_S = 0.2
"""Decisions out of turn (a limit fell) are at least this far apart."""

FIRST_SAMPLES_WAIT_S = 3.0
"""How long a start waits for the first sample of every device before it goes on with what is there."""

METER_SILENT_PERIODS = 3
METER_SILENT_MAX_S = 5.0


def cycle_due_s(began_s: float, interval_s: float, value_at_s: float | None, poll_s: float) -> float:
    """When the cycle after the one of `began_s` begins.

    A new meter value calls for it: `value_at_s` is when it came, None while there is none. One that comes half an
    interval after the last cycle begins the next at once. One that comes earlier has to wait, and then the meter's next
    poll, `poll_s` after it, is waited for where that is soon: a decision on a value that is nearly a poll old counts
    what the inverters have done since then as load. A meter whose value stays the same only delays the cycle.
    """
    if value_at_s is None:
        return began_s + WATCHDOG_PART * interval_s
    soonest_s = began_s + 0.5 * interval_s
    if value_at_s >= soonest_s - JITTER_PART * interval_s:
        return value_at_s
    next_poll_s = value_at_s + POLL_PATIENCE * poll_s
    return max(soonest_s, next_poll_s) if next_poll_s <= soonest_s + 0.25 * interval_s else soonest_s


def meter_silent_after_s(interval_s: float, sample_window_s: float) -> float:
    """The age at which a meter sample counts as silence: three periods, at most 5 s, never above the sample window."""
    return min(METER_SILENT_PERIODS * interval_s, METER_SILENT_MAX_S, sample_window_s)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between attempts: `first_s`, doubled by each failure up to `longest_s`, forgotten by a success."""

    first_s: float
    longest_s: float
    failures: int = 0
    retry_at_s: float = 0.0

    def failed(self, now_s: float) -> Backoff:
        """After one more failure at `now_s`."""
        # The exponent is bounded because a device may stay away for months.
        wait_s = min(self.longest_s, self.first_s * 2.0 ** min(self.failures, 32))
        return replace(self, failures=self.failures + 1, retry_at_s=now_s + wait_s)

    def succeeded(self) -> Backoff:
        """After a success: as new."""
        return Backoff(self.first_s, self.longest_s) if self.failures else self

    def is_over(self, now_s: float) -> bool:
        """Whether the next attempt may be made at `now_s`."""
        return self.failures == 0 or now_s >= self.retry_at_s


RESTART_FIRST_S = 0.1
RESTARTS_MAX = 5
RESTART_WINDOW_S = 60.0


def recent_crashes(crashes_s: Sequence[float], now_s: float) -> tuple[float, ...]:
    """Those of the crash times that still count."""
    return tuple(at_s for at_s in crashes_s if now_s - at_s < RESTART_WINDOW_S)


def restart_delay_s(crashes_s: Sequence[float]) -> float | None:
    """How long to wait before the restart after the last of these recent crashes; None: give up."""
    if len(crashes_s) > RESTARTS_MAX:
        return None
    return RESTART_FIRST_S * 2.0 ** (len(crashes_s) - 1)
