"""Whether a battery does what it is told."""

from __future__ import annotations

from orchestrator.decide.memory import Following
from orchestrator.decide.plant.units import Battery, Unit

STALLED_AFTER_STEPS = 1

STUCK_AFTER_STEPS = 2
"""A battery that gave more than asked for this many steps is counted with what it gives."""

DEAF_AFTER_S = 30.0

DEAF_PART = 0.3

IDLE_PART = 0.05

SHORT_BY_PART = 0.01

SHORT_BY_WATTS = 30.0

PROGRESS_PART = 0.1
"""A battery that comes nearer to its target by this part of what is missing is slow, not short."""


def is_deaf(following: Following, now_s: float) -> bool:
    """Whether a battery has not followed its command for so long that people should hear of it."""
    return following.deaf_since_s is not None and now_s - following.deaf_since_s >= DEAF_AFTER_S


def watch_following(unit: Unit) -> Following:
    """Count the steps in a row in which the battery was short of its target and hardly came nearer."""
    before, battery, asked = unit.memory.following, unit.battery, unit.memory.battery.target_watts
    if battery is None or unit.sample.at_s == before.seen_at_s:
        return before
    return Following(
        seen_watts=battery.watts,
        seen_pv_watts=unit.pv_watts,
        seen_at_s=unit.sample.at_s,
        deaf_since_s=_deaf_since_s(unit, battery),
        short_steps=before.short_steps + 1 if _is_short(before, asked, battery.watts) else 0,
        over_steps=before.over_steps + 1 if _gives_too_much(before, asked, battery) else 0,
    )


def _is_short(before: Following, asked_watts: float | None, watts: float) -> bool:
    if not asked_watts or before.seen_at_s is None:
        return False
    sign = 1 if asked_watts > 0 else -1
    missing = sign * (asked_watts - watts)
    came_nearer = sign * (watts - before.seen_watts)
    return missing > max(SHORT_BY_PART * abs(asked_watts), SHORT_BY_WATTS) and came_nearer < PROGRESS_PART * missing


def _gives_too_much(before: Following, asked_watts: float | None, battery: Battery) -> bool:
    """It does clearly more than it was asked for, and keeps doing so."""
    if asked_watts is None or before.seen_at_s is None or battery.watts == 0:
        return False
    sign = 1 if battery.watts > 0 else -1
    too_much = sign * (battery.watts - asked_watts)
    came_nearer = sign * (before.seen_watts - battery.watts)
    limit = max(battery.charge_max_watts, battery.discharge_max_watts)
    return too_much > max(IDLE_PART * limit, SHORT_BY_WATTS) and came_nearer < PROGRESS_PART * too_much


def _deaf_since_s(unit: Unit, battery: Battery) -> float | None:
    if not _does_not_care(battery, unit.memory.battery.target_watts):
        return None
    since_s = unit.memory.following.deaf_since_s
    return unit.sample.at_s if since_s is None else since_s


def _does_not_care(battery: Battery, asked_watts: float | None) -> bool:
    """It does hardly anything of what it is asked for, or a lot although it is asked for nothing."""
    if asked_watts is None:
        return False
    if asked_watts == 0:
        limit = max(battery.charge_max_watts, battery.discharge_max_watts)
        return abs(battery.watts) > max(IDLE_PART * limit, SHORT_BY_WATTS)
    given = battery.watts if asked_watts > 0 else -battery.watts
    return given < DEAF_PART * abs(asked_watts)


def follows(following: Following) -> bool:
    """Whether a battery is at its target, or comes nearer to it."""
    return following.short_steps < STALLED_AFTER_STEPS


def is_stuck(following: Following) -> bool:
    """Whether a battery keeps giving or taking more than it is asked for."""
    return following.over_steps >= STUCK_AFTER_STEPS
