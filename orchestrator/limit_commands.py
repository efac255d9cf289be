"""From the handed-out room to the AC limit that is commanded: it falls at once, rises in watts per second.

Changes under 1 % of rating wait, except a reduction that a limit needs.
"""

from __future__ import annotations

from orchestrator.cycle import LimitMemory
from orchestrator.deadband import settle
from orchestrator.plant import Unit

RISE_PART_OF_RATING_PER_S = 0.2
SMALL_PART_OF_RATING = 0.01
LONGEST_STEP_S = 2.0


def rise_watts_per_s(unit: Unit) -> float:
    """How fast its AC limit may rise, in W a second: as site.yaml says, else 20 % of its rating."""
    return unit.config.ramp_watts_per_s or RISE_PART_OF_RATING_PER_S * (unit.rating_watts or 0.0)


def command_limit(
    unit: Unit, wanted_watts: float | None, *, known_watts: float, needed_now: bool, dt_s: float, now_s: float
) -> tuple[float | None, LimitMemory]:
    """The limit to command (None: no limit) and the memory of it.

    `wanted_watts` is the share of the room, None where nothing limits; `needed_now` says that a limit is being
    exceeded, so that even a small reduction counts; `dt_s` is the time since the last step. The limit may rise at once
    to `known_watts`, what it is known to be about to make: the ramp is for what is not known.
    """
    rating, before = unit.rating_watts, unit.memory.limit
    if rating is None:
        return None, before
    wanted = rating if wanted_watts is None else min(wanted_watts, rating)
    if wanted > known_watts:
        risen = unit.limit_watts + rise_watts_per_s(unit) * min(dt_s, LONGEST_STEP_S)
        wanted = min(wanted, max(risen, known_watts))
    if wanted < unit.limit_watts and needed_now:
        limit, pending = wanted, None
    else:
        limit, pending = settle(
            unit.limit_watts,
            wanted,
            small_watts=SMALL_PART_OF_RATING * rating,
            pending=before.pending,
            now_s=now_s,
        )
    command = None if limit >= rating * (1 - SMALL_PART_OF_RATING / 10) else limit
    if command == before.watts and pending == before.pending:
        return command, before
    return command, LimitMemory(command, pending)
