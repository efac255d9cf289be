"""A command as register writes, by the profile of a make: the steps in its order, with numbers in its units and signs.

A battery command is a window of power. A make takes a power, so a window with two ends that differ becomes `hold` where
it starts at 0 and the make knows that, and else the power that the window came from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.drivers.base import Registers, RegisterWrite, WriteGroup
from orchestrator.profiles.decode import shown_limit_watts
from orchestrator.profiles.device import ProfileDevice, named, register_value, total
from orchestrator.profiles.plan import are_in_one_table
from orchestrator.profiles.registers import Register, to_words
from orchestrator.profiles.schema import AC_DRAW, REVERT, AcLimit, BatteryCommands, ByPermission, Profile, Revert, Write
from orchestrator.sunspec import encode as sunspec_encode
from orchestrator.sunspec.writes import REFRESH_SHARE

Symbols = Mapping[str, float]
"""Numbers that a write may ask for by name, in W, percent or seconds.

`watts` is the target (charging +) and `minus_watts` the same with discharging +; `charge_watts` and `discharge_watts`
are its two sides, never negative; `most_charge_watts` is the upper end of the window, `charge_max_watts` and
`discharge_max_watts` what the battery can do; `limit_watts` and `limit_percent` the AC limit, `ac_max_watts` the AC
rating; `revert_s` the time after which the device is to go back to its own default. `ac_draw_per_phase_watts` is what
the inverter has to draw from AC (negative: feed in) on each phase so that its battery gets `watts` beside its PV.
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What steps are filled in with; `grid` is the permission to charge from AC, None where it is left as it is."""

    profile: Profile
    symbols: Symbols
    grid: bool | None = None


FLASH_STEP_PERCENT: Final = 5.0
NOISE: Final = 1e-6


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
    groups = (group for group in sunspec_encode.encode(device.base, command, registers) if used[group.name])
    return tuple(_one_by_one(group) if use.write_single else group for group in groups)


def _one_by_one(group: WriteGroup) -> WriteGroup:
    return replace(group, writes=tuple(replace(write, one_by_one=True) for write in group.writes))


def _ac_limit(device: ProfileDevice, command: InverterCommand, registers: Registers) -> Iterator[WriteGroup]:
    limit, rating = device.profile.commands.ac_limit, device.rated_watts
    if limit is None or rating is None or not device.capabilities.limit_ac:
        return
    if command.ac_limit_watts is None:
        asked = _Asked(device.profile, _limit_symbols(rating, 100.0, 0.0))
        yield from (replace(group, asks_for_more=True) for group in _group("ac_limit", asked, limit.clear, None))
        return
    percent = _limit_percent(device.profile, limit, 100.0 * command.ac_limit_watts / rating)
    reverts = command.ac_limit_reverts or limit.revert.after_s is not None
    symbols = _limit_symbols(rating, percent, command.valid_for_s if reverts else 0.0)
    asked = _Asked(device.profile, symbols)
    yield from _settings("ac_limit", asked, limit.prepare, registers)
    refresh_s = _refresh_s(limit.revert, command.valid_for_s) if reverts else None
    shown_watts = shown_limit_watts(device, registers)
    more = shown_watts is not None and symbols["limit_watts"] > shown_watts
    yield from (replace(group, asks_for_more=more) for group in _group("ac_limit", asked, limit.set, refresh_s))


def _limit_symbols(rating: float, percent: float, revert_s: float) -> Symbols:
    return {
        "limit_percent": percent,
        "limit_watts": percent * rating / 100.0,
        "ac_max_watts": rating,
        REVERT: revert_s,
    }


def _limit_percent(profile: Profile, limit: AcLimit, percent: float) -> float:
    """At most the rating; in coarse steps downwards where each change wears its flash."""
    percent = min(percent, 100.0)
    if any(profile.registers[write.register_].flash for write in limit.set):
        percent = FLASH_STEP_PERCENT * math.floor(percent / FLASH_STEP_PERCENT + NOISE)
    return percent


def _battery(device: ProfileDevice, command: InverterCommand, registers: Registers) -> Iterator[WriteGroup]:
    own, wanted = device.profile.commands.battery, command.battery
    if own is None or wanted is None or not device.capabilities.battery:
        return
    mode, steps = _steps(own, wanted)
    symbols = {**_battery_symbols(device, wanted, mode), REVERT: command.valid_for_s}
    if own.phases is not None:
        symbols[AC_DRAW] = _ac_draw_per_phase_watts(device, own, _target_watts(wanted), registers)
    asked = _Asked(device.profile, symbols, wanted.grid_charging)
    if mode is BatteryMode.RELEASE:
        yield from _group("battery release", asked, steps, None)
        return
    yield from _settings("battery", asked, own.prepare, registers)
    # A name for each mode: what was written in another mode may have lapsed, and is written anew.
    yield from _group(f"battery {mode}", asked, steps, _refresh_s(own.revert, command.valid_for_s))


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
    return {
        "watts": watts,
        "minus_watts": -watts,
        "charge_watts": max(watts, 0.0),
        "discharge_watts": max(-watts, 0.0),
        "most_charge_watts": charge_max if asked.high_watts is None else max(min(asked.high_watts, charge_max), 0.0),
        "charge_max_watts": charge_max,
        "discharge_max_watts": discharge_max,
    }


def _ac_draw_per_phase_watts(device: ProfileDevice, own: BatteryCommands, watts: float, registers: Registers) -> float:
    """By the PV of the moment: what it makes beyond the battery's target flows out, what is missing flows in.

    Where the device does not say how many phases it has, it may have all that are written.
    """
    profile = device.profile
    phases = None if own.phases is None else register_value(profile, own.phases, device.fixed)
    most_phases = max(len([write for write in steps if write.to == AC_DRAW]) for steps in (own.charge, own.discharge))
    pv_terms = profile.inverter.pv_watts if profile.inverter else None
    pv_watts = None if pv_terms is None else total(profile, pv_terms, registers, {})
    missing_watts = watts - (pv_watts or 0.0)
    efficiency = own.efficiency_percent / 100.0
    return (missing_watts / efficiency if missing_watts > 0 else missing_watts * efficiency) / (
        phases or max(most_phases, 1)
    )


def _refresh_s(revert: Revert, valid_for_s: float) -> float | None:
    """Well before the device goes back to its default; None where it never does."""
    if revert.after_s is not None:
        return REFRESH_SHARE * revert.after_s
    return REFRESH_SHARE * valid_for_s if revert.register_ is not None else None


def _settings(name: str, asked: _Asked, steps: Sequence[Write], registers: Registers) -> Iterator[WriteGroup]:
    """One group for each setting that the device shows to differ, or does not show at all."""
    for step in steps:
        raw = _raw(asked, step)
        if raw is None:
            continue
        write = _write(asked.profile, step.register_, raw)
        if any(registers.get(at) != word for at, word in enumerate(write.values, write.address)):
            yield WriteGroup(f"{name} {step.register_}", (write,))


def _group(name: str, asked: _Asked, steps: Sequence[Write], refresh_s: float | None) -> Iterator[WriteGroup]:
    raws = ((step.register_, _raw(asked, step)) for step in steps)
    writes = tuple(_joined(_write(asked.profile, register, raw) for register, raw in raws if raw is not None))
    if writes:
        yield WriteGroup(name, writes, refresh_s)


def _joined(writes: Iterator[RegisterWrite]) -> Iterator[RegisterWrite]:
    """Steps that follow each other on neighbouring registers go in one request, as makes expect of pairs."""
    before: RegisterWrite | None = None
    for write in writes:
        if before is not None and _continues(before, write) and not write.flash:
            before = RegisterWrite(before.address, before.values + write.values, before.register, before.flash)
            continue
        if before is not None:
            yield before
        before = write
    if before is not None:
        yield before


def _continues(before: RegisterWrite, write: RegisterWrite) -> bool:
    end = before.address + len(before.values)
    return write.address == end and are_in_one_table(before.address, write.address)


def _write(profile: Profile, name: str, raw: float) -> RegisterWrite:
    register = profile.registers[name]
    return RegisterWrite(register.place, to_words(register, raw, profile.word_order), name, register.flash)


def _raw(asked: _Asked, step: Write) -> float | None:
    """The raw number that a step writes; None where it depends on a permission that is left as it is."""
    register, to = asked.profile.registers[step.register_], step.to
    if isinstance(to, ByPermission):
        return None if asked.grid is None else named(register, to.grid if asked.grid else to.pv)
    if isinstance(to, str) and to in register.values:
        return register.values[to]
    if isinstance(to, str):
        return _scaled_time(register, asked.symbols[to]) if to == REVERT else _scaled(register, asked.symbols[to])
    return to / register.scale


def _scaled(register: Register, value: float) -> float:
    """A value in its unit as the raw number; whole numbers towards zero, so that never more is asked for."""
    raw = value / register.scale
    if register.type == "f32":
        return raw
    # A millionth of a unit is rounding noise of the division, not more than was asked for.
    return math.copysign(math.floor(abs(raw) + NOISE), raw)


def _scaled_time(register: Register, seconds: float) -> float:
    """A time as the raw number: never shortened, and 0, which is "never", only where it is meant."""
    return max(math.ceil(seconds / register.scale - NOISE), 1) if seconds > 0 else 0
