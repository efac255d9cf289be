"""From a share in watts to a command for one battery: the window, the permission to charge from AC, and its memory."""

from __future__ import annotations

from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.decide.battery.drawing import draws_part
from orchestrator.decide.following import Disobeys, Following
from orchestrator.decide.memory import BatteryMemory
from orchestrator.decide.plant.battery_limits import LimitedBy
from orchestrator.decide.plant.units import Battery, Unit

CHARGE_BIT = 1
"""Bit 0 of batteryStorageMode (and of 124 StorCtl_Mod): the charge limit may be set."""

DISCHARGE_BIT = 2
"""Bit 1: the discharge limit may be set."""

GRID_UNNEEDED_AFTER_S = 10.0
"""The permission to charge from AC is taken back after own PV sufficed for this long: it is seldom worth a write."""
GRID_UNNEEDED_WEARS_AFTER_S = 900.0
"""Where each change wears its flash, it is left in place for longer: a cloudy day must not use up its writes."""

BEYOND_PV_PART_OF_LIMIT = 0.02
BEYOND_PV_LEAST_WATTS = 50.0
"""A target needs charging from AC once it is above own PV by more than both of these: less is losses and noise."""

PV_SUFFICES_PART = 0.9
"""Own PV suffices while no more than this part of it is asked for, so that a small cloud does not ask for AC again."""

STOPS_DRAWING_PART_OF_RATING = 0.1
"""One that draws more than this of what the site imports, and is to draw none, loses the permission at once: devices
obey that sooner than a battery follows its target."""

AT_REST_WATTS = 50.0
"""A battery rests (`battery.idle_between_s`) once it does less than this."""


def must_rest(unit: Unit, charging: bool, now_s: float) -> bool:
    """Whether the battery has to stay idle a while before it turns (`battery.idle_between_s`)."""
    battery, before = unit.battery, unit.memory.battery
    if battery is None or not battery.idle_between_s or before.direction in (0, 1 if charging else -1):
        return False
    return now_s - before.direction_at_s < battery.idle_between_s


def command_battery(
    unit: Unit,
    battery: Battery,
    target_watts: float,
    storage_mode: int | None,
    *,
    following: Following,
    now_s: float,
    open_to_watts: float | None = None,
    import_watts: float = 0.0,
) -> tuple[BatteryCommand, BatteryMemory]:
    """Pin the battery to its target (charging +), so that the device's own ideas cannot work against the site.

    `storage_mode` (1 to 3, None all) says which sides of the window may be set, `following` how it follows as of now.
    Where it is to charge from own PV only, that may charge it up to `open_to_watts`. `import_watts` is what the site
    imports now.
    """
    memory = unit.memory.battery
    follows_now = Disobeys.STALLED not in following.states
    just_opens = open_to_watts is not None and memory.open_to_watts is None
    own_pv_may_follow = follows_now and (unit.curtailed or just_opens or unit.waits_for_own_pv(target_watts))
    grid_charging, grid_unneeded_since_s = _allow_grid(
        unit, battery, target_watts, own_pv_may_follow, import_watts=import_watts, now_s=now_s
    )
    direction, direction_at_s = memory.direction, memory.direction_at_s
    if target_watts:
        direction = 1 if target_watts > 0 else -1
    if target_watts or memory.target_watts or _goes_on(memory, battery, following):
        direction_at_s = now_s  # the command before was in force until now, or the battery has not come to rest since
    allowed = battery.grid_charging_allowed if grid_charging is None else grid_charging
    open_to = None if battery.grid_charging_allowed is None or allowed else open_to_watts
    bits = CHARGE_BIT | DISCHARGE_BIT if storage_mode is None else storage_mode
    command = BatteryCommand(
        mode=_mode(target_watts),
        watts=target_watts,
        low_watts=target_watts if bits & DISCHARGE_BIT else None,
        high_watts=(target_watts if open_to is None else open_to) if bits & CHARGE_BIT else None,
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
        open_to_watts=open_to,
        draws_part=draws_part(unit),
    )


def _goes_on(memory: BatteryMemory, battery: Battery, following: Following) -> bool:
    """Whether the battery is still on its way to rest in its last direction. A stubborn one is not waited for."""
    return memory.direction * battery.watts > AT_REST_WATTS and Disobeys.STUBBORN not in following.states


def _is_held_back(battery: Battery, target_watts: float) -> bool:
    """Whether its share stands at the limit that eases its return."""
    limited_by = battery.charge_limited_by if target_watts > 0 else battery.discharge_limited_by
    limit = battery.charge_max_watts if target_watts > 0 else battery.discharge_max_watts
    return bool(target_watts) and limited_by is LimitedBy.RETURN and abs(target_watts) >= limit - 1.0


def _allow_grid(
    unit: Unit, battery: Battery, target_watts: float, own_pv_may_follow: bool, *, import_watts: float, now_s: float
) -> tuple[bool | None, float | None]:
    """Charging beyond own PV is charging from AC to its inverter: allow it when needed, not before and not much longer.

    A curtailed hybrid's own PV follows by itself; it needs AC only when it was seen not to follow. Returns the
    permission, and since when it has not been needed.
    """
    memory = unit.memory.battery
    allowed = battery.grid_charging_allowed if memory.grid_charging is None else memory.grid_charging
    wears = unit.sample.battery is not None and unit.sample.battery.grid_charging_wears
    if memory.grid_charging and not wears and _is_to_stop_drawing(unit, target_watts, import_watts):
        return False, None
    if target_watts <= 0:
        return memory.grid_charging, None
    margin = max(BEYOND_PV_PART_OF_LIMIT * battery.charge_max_watts, BEYOND_PV_LEAST_WATTS)
    if target_watts > unit.pv_watts + margin and not own_pv_may_follow:
        return True, None
    if not allowed:
        return False, None
    if target_watts > PV_SUFFICES_PART * unit.pv_watts:
        return allowed, None
    since = now_s if memory.grid_unneeded_since_s is None else memory.grid_unneeded_since_s
    still = now_s - since < (GRID_UNNEEDED_WEARS_AFTER_S if wears else GRID_UNNEEDED_AFTER_S)
    return still, since if still else None


def _is_to_stop_drawing(unit: Unit, target_watts: float, import_watts: float) -> bool:
    """Whether it draws what is imported, and own PV is more than enough for what it is to charge with from now on."""
    drawn_watts = min(-unit.ac_watts, import_watts)
    least_watts = STOPS_DRAWING_PART_OF_RATING * (unit.rating_watts or 0.0)
    return drawn_watts > least_watts and target_watts <= PV_SUFFICES_PART * unit.pv_watts


def _mode(target_watts: float) -> BatteryMode:
    if target_watts > 0:
        return BatteryMode.CHARGE
    return BatteryMode.DISCHARGE if target_watts < 0 else BatteryMode.IDLE
