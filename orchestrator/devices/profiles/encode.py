"""A command as register writes, by the profile of a make: the steps in its order, with numbers in its units and signs.

A battery command is a window of power. A make takes a power, so a window with two ends that differ becomes `hold` where
it starts at 0 and the make knows that, and else the power that the window came from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from msgspec import structs

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.base import Registers, WriteGroup
from orchestrator.devices.makes.command_schema import AFTER, BY_AC, REVERT, BatteryCommands, Revert, Write
from orchestrator.devices.makes.schema import Profile
from orchestrator.devices.profiles.decode import shown_limit_watts
from orchestrator.devices.profiles.device import ProfileDevice, limit_wears_flash, revert_of
from orchestrator.devices.profiles.found import to_put_back
from orchestrator.devices.profiles.power_at_ac import phases_of, power_at_ac, within_limits
from orchestrator.devices.profiles.steps import NOISE, Asked, Symbols, group_of, groups_of_settings
from orchestrator.devices.sunspec.encoding import command as sunspec_encode
from orchestrator.devices.sunspec.encoding.writes import REFRESH_SHARE, renew_s

FLASH_STEP_PERCENT: Final = 5.0
UNLIMITED_WATTS: Final = 100_000.0
"""What a window without an upper end lets a battery take that says no limit: more than any of one inverter does."""


def encode(device: ProfileDevice, command: InverterCommand, registers: Registers) -> tuple[WriteGroup, ...]:
    """The groups that `command` needs, in writing order: what the standard has, AC limit, battery."""
    return (
        *_by_standard(device, command, registers),
        *_ac_limit(device, command, registers),
        *_battery(device, command, registers),
    )


def _by_standard(device: ProfileDevice, command: InverterCommand, registers: Registers) -> tuple[WriteGroup, ...]:
    """What the standard's models do, without what the profile does in its own way."""
    use = device.profile.sunspec
    if device.base is None or use is None:
        return ()
    used = {"connect": True, "ac_limit": use.ac_limit, "battery": use.battery}
    if command.battery is not None:
        command = structs.replace(command, battery=_in_steps(command.battery, use.battery_step_watts))
    groups = (group for group in sunspec_encode.encode(device.base, command, registers) if used[group.name])
    if use.limit_stays_enabled and command.ac_limit_watts is None:
        groups = (_without_enable(group) for group in groups)
    return tuple(_one_by_one(group) if use.write_single else group for group in groups)


def _in_steps(asked: BatteryCommand, step_watts: int) -> BatteryCommand:
    """The command in whole steps, towards 0, so that never more is asked for."""

    def whole(watts: float) -> float:
        return math.copysign(step_watts * math.floor(abs(watts) / step_watts + NOISE), watts)

    return structs.replace(
        asked,
        watts=whole(asked.watts),
        low_watts=None if asked.low_watts is None else whole(asked.low_watts),
        high_watts=None if asked.high_watts is None else whole(asked.high_watts),
    )


def _without_enable(group: WriteGroup) -> WriteGroup:
    """No limit for a make that keeps it enabled: 100 %, and nothing that it would not take."""
    if group.name != "ac_limit":
        return group
    return replace(group, writes=tuple(write for write in group.writes if write.register != "123.WMaxLim_Ena"))


def _one_by_one(group: WriteGroup) -> WriteGroup:
    return replace(group, writes=tuple(replace(write, one_by_one=True) for write in group.writes))


def _ac_limit(device: ProfileDevice, command: InverterCommand, registers: Registers) -> Iterator[WriteGroup]:
    limit, rating = device.profile.commands.ac_limit, device.rated_watts
    if limit is None or rating is None or not device.capabilities.limit_ac:
        return
    if command.ac_limit_watts is None:
        found = to_put_back(device.profile, dict(command.settings), registers)
        asked = Asked(device.profile, _limit_symbols(rating, 100.0, 0.0, 100.0), found=found)
        steps = (*limit.clear, *(limit.release if command.final else ()))
        yield from (replace(each, asks_for_more=True) for each in group_of("ac_limit", asked, steps, None, registers))
        return
    percent = _limit_percent(device.profile, 100.0 * command.ac_limit_watts / rating)
    revert = revert_of(device.profile, limit.revert, device.fixed)
    is_told = any(step.to == AFTER for step in limit.set)
    reverts = command.ac_limit_reverts or revert.after_s is not None or is_told
    after_percent = _after_percent(command, rating, percent)
    symbols = _limit_symbols(rating, percent, command.valid_for_s if reverts else 0.0, after_percent)
    asked = Asked(device.profile, symbols)
    yield from groups_of_settings("ac_limit", asked, limit.prepare, registers)
    refresh_s = _refresh_s(revert, command.valid_for_s) if reverts else None
    if refresh_s is None and not limit_wears_flash(device.profile):
        refresh_s = renew_s(command)
    shown_watts = shown_limit_watts(device, registers)
    more = shown_watts is not None and symbols["limit_watts"] > shown_watts
    yield from (
        replace(each, asks_for_more=more) for each in group_of("ac_limit", asked, limit.set, refresh_s, registers)
    )


def _after_percent(command: InverterCommand, rating: float, percent: float) -> float:
    """What a limit gives way to: one that must stay gives way to itself."""
    if not command.ac_limit_reverts:
        return percent
    after_watts = command.ac_limit_after_watts
    return 100.0 if after_watts is None else min(100.0 * after_watts / rating, 100.0)


def _limit_symbols(rating: float, percent: float, revert_s: float, after_percent: float) -> Symbols:
    return {
        AFTER: after_percent,
        "limit_percent": percent,
        "limit_watts": percent * rating / 100.0,
        "ac_max_watts": rating,
        REVERT: revert_s,
    }


def _limit_percent(profile: Profile, percent: float) -> float:
    """At most the rating; in coarse steps downwards where each change wears its flash."""
    percent = min(percent, 100.0)
    if limit_wears_flash(profile):
        percent = FLASH_STEP_PERCENT * math.floor(percent / FLASH_STEP_PERCENT + NOISE)
    return percent


def _battery(device: ProfileDevice, command: InverterCommand, registers: Registers) -> Iterator[WriteGroup]:
    own, wanted = device.profile.commands.battery, command.battery
    if own is None or wanted is None or not device.capabilities.battery:
        return
    if not own.keeps_limits:
        wanted = within_limits(device, wanted, registers)
    mode, steps = _steps(own, wanted)
    symbols = {**_battery_symbols(device, wanted, mode), REVERT: command.valid_for_s}
    if any(step.to in BY_AC for step in steps):
        at_ac = power_at_ac(device, own, _target_watts(wanted), registers)
        if at_ac is None:
            mode, steps = BatteryMode.HOLD, own.hold
        symbols |= at_ac or {}
    found = to_put_back(device.profile, dict(command.settings), registers)
    asked = Asked(device.profile, symbols, wanted.grid_charging, found, phases_of(device, own))
    if mode is BatteryMode.RELEASE:
        yield from group_of("battery release", asked, steps, None)
        return
    yield from groups_of_settings("battery", asked, own.prepare, registers)
    revert = revert_of(device.profile, own.revert, device.fixed)
    # A name for each mode: what was written in another mode may have lapsed, and is written anew.
    yield from group_of(f"battery {mode}", asked, steps, _refresh_s(revert, command.valid_for_s), registers)


def _steps(own: BatteryCommands, asked: BatteryCommand) -> tuple[BatteryMode, Sequence[Write]]:
    """What the make calls the window that is asked for."""
    low, high = asked.low_watts, asked.high_watts
    if low is None and high is None:
        return BatteryMode.RELEASE, own.release
    if low == 0 and (high is None or high > 0) and own.hold:
        return BatteryMode.HOLD, own.hold
    watts = _target_watts(asked)
    if watts > 0:
        return BatteryMode.CHARGE, own.charge
    return (BatteryMode.DISCHARGE, own.discharge) if watts < 0 else (BatteryMode.IDLE, own.idle)


def _target_watts(asked: BatteryCommand) -> float:
    """The power nearest to the target within the window, charging +."""
    low = -math.inf if asked.low_watts is None else asked.low_watts
    high = math.inf if asked.high_watts is None else asked.high_watts
    return min(max(asked.watts, low), high)


def _battery_symbols(device: ProfileDevice, asked: BatteryCommand, mode: BatteryMode) -> Symbols:
    """What the battery can do is the AC rating where it does not say, and never less than what is asked of it."""
    plate = device.nameplate
    fallback = device.rated_watts or 0.0
    watts = 0.0 if mode is BatteryMode.RELEASE else _target_watts(asked)
    charge_max = max(fallback, watts) if plate.charge_max_watts is None else plate.charge_max_watts
    discharge_max = max(fallback, -watts) if plate.discharge_max_watts is None else plate.discharge_max_watts
    most_charge = charge_max if plate.charge_max_watts or fallback else UNLIMITED_WATTS
    return {
        "watts": watts,
        "minus_watts": -watts,
        "charge_watts": max(watts, 0.0),
        "discharge_watts": max(-watts, 0.0),
        "most_charge_watts": most_charge if asked.high_watts is None else max(min(asked.high_watts, most_charge), 0.0),
        "charge_max_watts": charge_max,
        "discharge_max_watts": discharge_max,
    }


def _refresh_s(revert: Revert, valid_for_s: float) -> float | None:
    """Well before the device goes back to its default; None where it never does."""
    if revert.after_s is not None:
        return REFRESH_SHARE * revert.after_s
    return REFRESH_SHARE * valid_for_s if revert.register_ is not None else None
