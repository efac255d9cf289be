"""Small changes are not worth a register write: they are kept back until they have been wanted for a while."""

from __future__ import annotations

from orchestrator.cycle import Pending

SETTLE_AFTER_S = 5.0


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
