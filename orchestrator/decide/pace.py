"""How fast AC limits and charging may rise, in watts per second; what falls, falls at once.

    control.ramp_watts_per_s        the AC limits of all inverters together, the charging of all batteries together
    inverters[].ramp_watts_per_s    the AC limit of one inverter, the charging of its battery

A limit goes before a ramp: while one is exceeded and AC limits alone do not end it, charging may rise at once.
"""

from __future__ import annotations

from math import inf

LONGEST_PAUSE_S = 2.0
LONGEST_PAUSE_INTERVALS = 2.0
"""After a longer pause than both a ramp goes on as after the longer of them."""

LIFTED_AFTER_STEPS = 2
"""After so many steps above a limit charging has no ramp."""

ROUNDING = 1 - 1e-9


def counted_s(passed_s: float, interval_s: float) -> float:
    """How much of the time since the last step counts for ramps; `interval_s` is that of the loop."""
    return min(max(passed_s, 0.0), max(LONGEST_PAUSE_S, LONGEST_PAUSE_INTERVALS * interval_s))


def rise_watts(
    rate_watts_per_s: float, *, changed_at_s: float | None, now_s: float, dt_s: float, small_watts: float
) -> float:
    """By how much a command may rise now, in W.

    `changed_at_s` is when it last changed (None: long ago), `dt_s` the time since the last step as far as it counts. A
    rise of less than `small_watts` is not worth a write: a slow ramp waits until that much has come together, so it
    climbs by small steps and as fast as it should. What a ramp was not needed for is not saved up.
    """
    step_watts = rate_watts_per_s * dt_s
    if step_watts >= small_watts:
        return step_watts
    since_s = inf if changed_at_s is None else now_s - changed_at_s
    gathered_watts = min(rate_watts_per_s * since_s, small_watts + step_watts)
    return gathered_watts if gathered_watts >= small_watts * ROUNDING else 0.0
