"""From a share in watts to a command for one battery: the window, the permission to charge from AC, and its memory."""

from __future__ import annotations

from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.cycle import BatteryMemory, Following
from orchestrator.decide.ac.curtailment import follows, is_stuck
from orchestrator.decide.plant.battery_limits import LimitedBy
from orchestrator.decide.plant.units import Battery, Unit

CHARGE_BIT = 1
"""Bit 0 of batteryStorageMode (and of 124 StorCtl_Mod): the charge limit may be set."""

DISCHARGE_BIT = 2
"""Bit 1: the discharge limit may be set."""

GRID_UNNEEDED_AFTER_S = 10.0
"""The permission to charge from AC is taken back after own PV sufficed for this long: it is seldom worth a write."""

AT_REST_WATTS = 50.0
"""A battery rests (`battery.idle_between_s`) once it does less than this."""

DEAF_AFTER_S = 30.0
DEAF_PART = 0.3
IDLE_PART = 0.05

SHORT_BY_PART = 0.01
SHORT_BY_WATTS = 30.0
PROGRESS_PART = 0.1
"""A battery that comes nearer to its target by this part of what is missing is slow, not short."""


def must_rest(unit: Unit, charging: bool, now_s: float) -> bool:
    """Whether the battery has to stay idle a while before it turns (`battery.idle_between_s`)."""
    battery, before = unit.battery, unit.memory.battery
    if battery is None or not battery.idle_between_s or before.direction in (0, 1 if charging else -1):
        return False
    return now_s - before.direction_at_s < battery.idle_between_s


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
    """It does clearly more than it was asked for, and goes on with it."""
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


def command_battery(
    unit: Unit,
    battery: Battery,
    target_watts: float,
    storage_mode: int | None,
    *,
    following: Following,
    now_s: float,
) -> tuple[BatteryCommand, BatteryMemory]:
    """Pin the battery to its target (charging +), so that the device's own ideas cannot work against the site.

    `storage_mode` (1 to 3, None all) says which sides of the window may be set, `following` how it follows as of now.
    """
    memory = unit.memory.battery
    grid_charging, grid_unneeded_since_s = _allow_grid(unit, battery, target_watts, follows(following), now_s)
    direction, direction_at_s = memory.direction, memory.direction_at_s
    if target_watts:
        direction = 1 if target_watts > 0 else -1
    if target_watts or memory.target_watts or _goes_on(memory, battery, following):
        direction_at_s = now_s  # the command before was in force until now, or the battery has not come to rest since
    bits = CHARGE_BIT | DISCHARGE_BIT if storage_mode is None else storage_mode
    command = BatteryCommand(
        mode=_mode(target_watts),
        watts=target_watts,
        low_watts=target_watts if bits & DISCHARGE_BIT else None,
        high_watts=target_watts if bits & CHARGE_BIT else None,
        grid_charging=grid_charging,
    )
    return command, BatteryMemory(
        target_watts=target_watts,
        changed_at_s=memory.changed_at_s if target_watts == memory.target_watts else now_s,
        direction=direction,
        direction_at_s=direction_at_s,
        grid_charging=grid_charging,
        grid_unneeded_since_s=grid_unneeded_since_s,
        easing=memory.easing and _is_held_back(battery, target_watts),
    )


def _goes_on(memory: BatteryMemory, battery: Battery, following: Following) -> bool:
    """Whether the battery is still on its way to rest in its last direction. One that does not come there is let be."""
    return memory.direction * battery.watts > AT_REST_WATTS and not is_stuck(following)


def _is_held_back(battery: Battery, target_watts: float) -> bool:
    """Whether its share stands at the limit that eases its return."""
    limited_by = battery.charge_limited_by if target_watts > 0 else battery.discharge_limited_by
    limit = battery.charge_max_watts if target_watts > 0 else battery.discharge_max_watts
    return bool(target_watts) and limited_by is LimitedBy.RETURN and abs(target_watts) >= limit - 1.0


def _allow_grid(
    unit: Unit, battery: Battery, target_watts: float, follows_now: bool, now_s: float
) -> tuple[bool | None, float | None]:
    """Charging beyond own PV is charging from AC to its inverter: allow it when needed, not before and not much longer.

    A curtailed hybrid's own PV follows by itself; it needs AC only when it was seen not to follow. Returns the
    permission, and since when it has not been needed.
    """
    memory = unit.memory.battery
    allowed = battery.grid_charging_allowed if memory.grid_charging is None else memory.grid_charging
    if target_watts <= 0:
        return memory.grid_charging, None
    own_pv_may_follow = follows_now and unit.curtailed
    margin = max(0.02 * battery.charge_max_watts, 50.0)
    if target_watts > unit.pv_watts + margin and not own_pv_may_follow:
        return True, None
    if not allowed:
        return False, None
    if target_watts > 0.9 * unit.pv_watts:
        return allowed, None
    since = now_s if memory.grid_unneeded_since_s is None else memory.grid_unneeded_since_s
    still = now_s - since < GRID_UNNEEDED_AFTER_S
    return still, since if still else None


def _mode(target_watts: float) -> BatteryMode:
    if target_watts > 0:
        return BatteryMode.CHARGE
    return BatteryMode.DISCHARGE if target_watts < 0 else BatteryMode.IDLE
