"""How fast AC limits and charging may rise, in watts per second; what falls, falls at once.

    control.ramp_watts_per_s        the AC limits of all inverters together, the charging of all batteries together
    inverters[].ramp_watts_per_s    the AC limit of one inverter, the charging of its battery

A limit goes before a ramp: while one is exceeded and AC limits alone do not end it, charging may rise at once.
"""

from __future__ import annotations

from math import inf

from orchestrator.decide.memory import Pending

SETTLE_AFTER_S = 5.0
"""A small change that is wanted for so long is no noise."""

LONGEST_PAUSE_S = 2.0
LONGEST_PAUSE_INTERVALS = 2.0
"""After a longer pause than both a ramp goes on as after the longer of them."""

LIFTED_AFTER_STEPS = 2
"""After so many steps above a limit charging has no ramp."""

ROUNDING = 1 - 1e-9
"""What adding up small rises may lose in the last digit must not cost a step."""


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


def settle(
    held_watts: float, wanted_watts: float, *, small_watts: float, pending: Pending | None, now_s: float
) -> tuple[float, Pending | None]:
    """The value to command, and the change that stays pending.

    A change of `small_watts` or more is taken at once. A smaller one, but more than a third of that, is taken when it
    was wanted in one direction for 5 s; then the mean of the wishes is taken, so that noise does not move it again.
    """
    change = wanted_watts - held_watts
    if abs(change) >= small_watts:
        return wanted_watts, None
    if abs(change) < small_watts / 3:
        return held_watts, None
    rising = change > 0
    if pending is None or pending.rising != rising:
        return held_watts, Pending(now_s, wanted_watts, 1, rising)
    pending = Pending(pending.since_s, pending.total_watts + wanted_watts, pending.count + 1, rising)
    if now_s - pending.since_s < SETTLE_AFTER_S:
        return held_watts, pending
    return pending.total_watts / pending.count, None
