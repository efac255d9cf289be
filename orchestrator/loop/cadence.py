"""When the next cycle of the loop is due, and how long it waits for what. Times in s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from orchestrator.decide.records import CycleResult

READ_WAIT_S = 0.3
"""How long a cycle waits for the readings of its inverters: within this they count as taken at one moment."""

WATCHDOG_PART = 1.25
DOUBTED_PART = 1.0
SOONEST_PART = 0.5
EXPECTED_PART = 1.0
JITTER_PART = 0.05
"""Parts of an interval: after this a cycle begins without a new value, sooner where the meter shows none although AC
power has moved, so that a frozen one is found in time; with a new value that is news, and with one that was to be
expected; so much too early is in time."""

NEWS_PART: Final = 0.01
"""Part of the AC ratings of the inverters that answer: by so much the meter flutters, and shows nothing new by it."""

POLL_PATIENCE = 1.2
"""How long the next poll of the meter is waited for, in its polling intervals."""

DECISION_GAP_S = 0.2
"""Decisions out of turn (a limit fell) are at least this far apart."""

FIRST_SAMPLES_WAIT_S = 3.0
"""How long a start waits for the first sample of every device before it goes on with what is there."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What the loop allows for the network. `watchdog_part` is in control intervals, the others in seconds."""

    watchdog_part: float = WATCHDOG_PART
    read_wait_s: float = READ_WAIT_S
    decision_gap_s: float = DECISION_GAP_S


OVER_A_NETWORK: Final = Pace()
PROMPT: Final = Pace(watchdog_part=1.0, read_wait_s=0.0, decision_gap_s=0.0)
"""Where every reading is handed over at the moment it is asked for, once an interval: there is nothing to wait for."""


class Expected(Struct, frozen=True):
    """What the meter may show after a decision without being news, import +: from where it was to where it is sent."""

    low_watts: float
    high_watts: float

    def has(self, site_watts: float) -> bool:
        """Whether it may be so by what was decided alone."""
        return self.low_watts <= site_watts <= self.high_watts


def expected_after(result: CycleResult) -> Expected | None:
    """What a decision leads one to expect of the meter; None where every value is news.

    Only what batteries are told counts as sent: it is told at once and in full, while AC limits go in steps.
    """
    meter, flow = result.snapshot.meter, result.flow
    if meter is None or result.mode != "normal" or result.state.trust.is_doubted:
        return None
    sent_watts = 0.0 if flow is None else flow.target_battery_power_watts - result.totals.battery_watts
    ratings_watts = (sample.nameplate.ac_max_watts or 0.0 for sample in result.snapshot.inverters)
    flutter_watts = NEWS_PART * sum(ratings_watts)
    return Expected(
        meter.site_watts + min(sent_watts, 0.0) - flutter_watts, meter.site_watts + max(sent_watts, 0.0) + flutter_watts
    )


def cycle_due_s(
    began_s: float,
    interval_s: float,
    value_at_s: float | None,
    poll_s: float,
    watchdog_part: float = WATCHDOG_PART,
    *,
    soonest_part: float = SOONEST_PART,
) -> float:
    """When the cycle after the one of `began_s` begins.

    A new meter value calls for it: `value_at_s` is when it came, None while there is none. One that comes half an
    interval after the last cycle begins the next at once. One that comes earlier has to wait, and then the meter's next
    poll, `poll_s` after it, is waited for where that is soon: a decision on a value that is nearly a poll old counts
    what the inverters have done since then as load. A meter whose value stays the same only delays the cycle.
    `soonest_part`: half an interval is for news; what was to be expected begins the next cycle after a whole one.
    """
    if value_at_s is None:
        return began_s + watchdog_part * interval_s
    soonest_s = began_s + soonest_part * interval_s
    if value_at_s >= soonest_s - JITTER_PART * interval_s:
        return value_at_s
    next_poll_s = value_at_s + POLL_PATIENCE * poll_s
    return max(soonest_s, next_poll_s) if next_poll_s <= soonest_s + 0.25 * interval_s else soonest_s
