"""Steps of a profile as register writes: names and symbols become raw numbers, and neighbours go in one request."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from orchestrator.devices.base import Registers, RegisterWrite, WriteGroup
from orchestrator.devices.makes.command_schema import REVERT, AsFound, ByPermission, Write
from orchestrator.devices.makes.registers import Register, to_words
from orchestrator.devices.makes.schema import Profile
from orchestrator.devices.profiles.device import holds, named
from orchestrator.devices.profiles.plan import are_in_one_table

Symbols = Mapping[str, float]
"""Numbers that a write may ask for by name, in W, percent or seconds.

`watts` is the target (charging +) and `minus_watts` the same with discharging +; `charge_watts` and `discharge_watts`
are its two sides, never negative; `most_charge_watts` is the upper end of the window, `charge_max_watts` and
`discharge_max_watts` what the battery can do; `limit_watts` and `limit_percent` the AC limit, `after_percent` what it
gives way to, `ac_max_watts` the AC rating; `revert_s` the time after which the device is to go back to its own default.
`ac_draw_l1_watts` to `ac_draw_l3_watts` are what each phase has to draw from AC (negative: feed in) so that the battery
gets `watts` beside PV and what hangs on the AC output; `ac_feed_watts` is what the inverter feeds in all for that
(negative: draws), `ac_draw_watts` the same with drawing +.
"""

NOISE: Final = 1e-6
"""So much of a raw number is rounding of a division, not more than was asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What steps are filled in with; `grid` is the permission to charge from AC, None where it is left as it is.

    `found` are raw numbers of registers as they were found, `phases` how many the device has (None: all).
    """

    profile: Profile
    symbols: Symbols
    grid: bool | None = None
    found: Mapping[str, int] = field(default_factory=dict)
    phases: int | None = None


def groups_of_settings(name: str, asked: Asked, steps: Sequence[Write], registers: Registers) -> Iterator[WriteGroup]:
    """One group for each setting that the device shows to differ, or does not show at all."""
    for step in steps:
        for write in _writes(asked, (step,), registers):
            if _differs(write, registers):
                permits = isinstance(step.to, ByPermission) and asked.grid is True
                yield WriteGroup(f"{name} {step.register_}", (write,), asks_for_more=permits)


def group_of(
    name: str, asked: Asked, steps: Sequence[Write], refresh_s: float | None, registers: Registers | None = None
) -> Iterator[WriteGroup]:
    """One group of all steps; what is kept in flash is left out where `registers` show that it is there already.

    What keeps the command alive is in it all the same.
    """
    shown = registers or {}
    every = _writes(asked, steps, shown)
    needed = (each for each in every if not each.flash or each.renews or _differs(each, shown))
    writes = tuple(_joined(needed))
    if writes:
        yield WriteGroup(name, writes, refresh_s)


def _writes(asked: Asked, steps: Sequence[Write], registers: Registers) -> Iterator[RegisterWrite]:
    wanted = (step for step in steps if _is_wanted(asked, step, registers))
    raws = ((step.register_, _raw(asked, step)) for step in wanted)
    return (_write(asked.profile, register, raw) for register, raw in raws if raw is not None)


def _is_wanted(asked: Asked, step: Write, registers: Registers) -> bool:
    """Whether the device does not show that the step is of no use now."""
    return step.only_while is None or holds(asked.profile, step.only_while, registers) is not False


def _differs(write: RegisterWrite, registers: Registers) -> bool:
    """Whether the device shows something else, or nothing."""
    return any(registers.get(at) != word for at, word in enumerate(write.values, write.address))


def _joined(writes: Iterator[RegisterWrite]) -> Iterator[RegisterWrite]:
    """Steps that follow each other on neighbouring registers go in one request, as makes expect of pairs."""
    before: RegisterWrite | None = None
    for write in writes:
        if before is not None and _continues(before, write):
            before = replace(before, values=before.values + write.values)
            continue
        if before is not None:
            yield before
        before = write
    if before is not None:
        yield before


def _continues(before: RegisterWrite, write: RegisterWrite) -> bool:
    """What is kept in flash is written by itself, so that its writes are counted, but for what is renewed together."""
    end = before.address + len(before.values)
    in_flash = write.flash and not (before.renews and write.renews)
    alone = in_flash or before.one_by_one or write.one_by_one
    return write.address == end and not alone and are_in_one_table(before.address, write.address)


def _write(profile: Profile, name: str, raw: float) -> RegisterWrite:
    register = profile.registers[name]
    words = to_words(register, raw, profile.word_order)
    one_by_one, renews = register.write_single, register.renews
    return RegisterWrite(register.place, words, name, register.flash, one_by_one=one_by_one, renews=renews)


def _raw(asked: Asked, step: Write) -> float | None:
    """The raw number that a step writes; None for a permission that is left as it is, and a phase that is not there."""
    register, to = asked.profile.registers[step.register_], step.to
    if register.phase is not None and asked.phases is not None and register.phase > asked.phases:
        return None
    if isinstance(to, AsFound):
        return asked.found.get(step.register_, named(register, to.otherwise))
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
    return math.copysign(math.floor(abs(raw) + NOISE), raw)


def _scaled_time(register: Register, seconds: float) -> float:
    """A time as the raw number: never shortened, and 0, which is "never", only where it is meant."""
    return max(math.ceil(seconds / register.scale - NOISE), 1) if seconds > 0 else 0
