"""Mistakes in what a profile commands: a value that is none, flash without a budget, the same thing twice."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.devices.makes.command_schema import (
    AC_DRAW,
    BATTERY_SYMBOLS,
    BY_AC,
    LIMIT_SYMBOLS,
    REVERT,
    AcLimit,
    AsFound,
    BatteryCommands,
    ByPermission,
    Write,
    registers_of,
)
from orchestrator.devices.makes.registers import Register, raw_range
from orchestrator.devices.makes.schema import BASE_VALUES, Profile
from orchestrator.documents.words import nearest
from orchestrator.documents.yaml_text import Finding, KeyPath

Step = tuple[KeyPath, Write]

_MAY_BE_EMPTY = ("prepare", "hold")
_NO_STEPS = ("ac_out_watts",)


def command_checks(profile: Profile) -> Iterator[Finding]:
    """Every mistake in `commands`, and between it and the rest; all its registers are there."""
    for path, write in _steps(profile):
        yield from _unwritable(path, profile, write)
        yield from _values(path, profile, write)
    yield from _empty(profile)
    yield from _flash_budget(profile)
    yield from _reverts(profile)
    yield from _ac_draw(profile)
    yield from _commanded_twice(profile)
    yield from _uncommanded(profile)


def _parts(profile: Profile) -> Iterator[tuple[KeyPath, AcLimit | BatteryCommands]]:
    for name in ("ac_limit", "battery"):
        part = getattr(profile.commands, name)
        if part is not None:
            yield ("commands", name), part


def _sequences(profile: Profile) -> Iterator[tuple[KeyPath, tuple[Write, ...]]]:
    for path, part in _parts(profile):
        for name in type(part).model_fields:
            value = getattr(part, name)
            if isinstance(value, tuple) and name not in _NO_STEPS:
                yield (*path, name), value


def _steps(profile: Profile) -> Iterator[Step]:
    for path, writes in _sequences(profile):
        yield from (((*path, index), write) for index, write in enumerate(writes))


def _unwritable(path: KeyPath, profile: Profile, write: Write) -> Iterator[Finding]:
    register = profile.registers[write.register_]
    if register.table == "input" or register.type == "text":
        yield (*path, "register"), f"the register {write.register_!r} cannot be written"


def _values(path: KeyPath, profile: Profile, write: Write) -> Iterator[Finding]:
    """Numbers that do not fit, names that are none, symbols of the other command."""
    register, to = profile.registers[write.register_], write.to
    symbols = LIMIT_SYMBOLS if path[1] == "ac_limit" else BATTERY_SYMBOLS
    if isinstance(to, ByPermission):
        if path[1] == "ac_limit":
            yield (*path, "to"), "only the battery has a permission to charge from AC"
        for key in ("grid", "pv"):
            yield from _value((*path, "to", key), write.register_, register, getattr(to, key), ())
    elif isinstance(to, AsFound):
        if path[-2] != "release":
            yield (*path, "to"), "only 'release' puts back what was found"
        for key, numbers in (("found", to.found), ("otherwise", (to.otherwise,))):
            for number in numbers:
                yield from _value((*path, "to", key), write.register_, register, number, ())
    elif isinstance(to, int | float):
        yield from _value((*path, "to"), write.register_, register, to / register.scale, ())
    else:
        yield from _value((*path, "to"), write.register_, register, to, symbols)


def _value(
    path: KeyPath, name: str, register: Register, raw: float | str, symbols: tuple[str, ...]
) -> Iterator[Finding]:
    if isinstance(raw, str):
        known = (*register.values, *symbols)
        if raw not in known:
            what = f"{raw!r} is not one of the values of {name!r}" + (
                ", and no symbol that is known here" if symbols else ""
            )
            yield path, f"{what}; {nearest(raw, known)}"
        return
    low, high = raw_range(register)
    if not low <= raw <= high:
        yield path, f"{raw:g} does not fit the type {register.type!r} of {name!r}"
    elif register.type != "f32" and abs(raw - round(raw)) > 1e-6:
        yield path, f"{name!r} holds whole multiples of {register.scale:g} only"


def _empty(profile: Profile) -> Iterator[Finding]:
    for path, writes in _sequences(profile):
        if not writes and path[-1] not in _MAY_BE_EMPTY and path[-2:] != ("ac_limit", "release"):
            yield path, "needs at least one step"


def _flash_budget(profile: Profile) -> Iterator[Finding]:
    if profile.flash_writes_per_day is not None:
        return
    for name in dict.fromkeys(write.register_ for _, write in _steps(profile)):
        if profile.registers[name].flash:
            yield ("registers", name, "flash"), "needs 'flash_writes_per_day', which says how often it may be written"


def _reverts(profile: Profile) -> Iterator[Finding]:
    """A timer that is never told a time runs out at once, or never."""
    for path, part in _parts(profile):
        told = {write.register_ for at, write in _steps(profile) if at[:2] == path and write.to == REVERT}
        timer = part.revert.register_
        if part.revert.after_s is None and (part.revert.told_by or part.revert.only_while):
            yield (*path, "revert"), "'told_by' and 'only_while' need 'after_s', for a device that does not show them"
        if timer is not None and part.revert.after_s is not None:
            yield (*path, "revert"), "takes 'after_s' or 'register', and not both"
        if timer is not None and timer not in told:
            yield (*path, "revert", "register"), f"no step writes {timer!r} to {REVERT!r}"
            continue
        for register in sorted(told - {timer}):
            yield path, f"{register!r} is told {REVERT!r}, so 'revert' must name it"


def _ac_draw(profile: Profile) -> Iterator[Finding]:
    battery, inverter = profile.commands.battery, profile.inverter
    for path, write in _steps(profile):
        if write.to not in BY_AC or path[1] != "battery":
            continue
        if write.to in AC_DRAW and (battery is None or battery.phases is None):
            yield (*path, "to"), f"{write.to!r} needs 'phases'"
        if not set(registers_of(inverter.pv_watts if inverter else None)).isdisjoint(BASE_VALUES):
            yield (*path, "to"), f"{write.to!r} needs PV from registers of the profile"
        if path[2] in ("hold", "release"):
            yield (*path, "to"), f"{path[2]!r} must do without {write.to!r}: it is written where that is not known"


def _commanded_twice(profile: Profile) -> Iterator[Finding]:
    use, commands = profile.sunspec, profile.commands
    if use is not None and use.ac_limit and commands.ac_limit is not None:
        yield ("commands", "ac_limit"), "the AC limit is commanded twice: 'sunspec.ac_limit' has to be false"
    if use is not None and use.battery and commands.battery is not None:
        yield ("commands", "battery"), "the battery is commanded twice: 'sunspec.battery' has to be false"


def _uncommanded(profile: Profile) -> Iterator[Finding]:
    """What can be commanded must be read as well."""
    plate, commands = profile.nameplate, profile.commands
    if commands.battery is not None and profile.battery is None:
        yield ("commands", "battery"), "needs 'battery', which says what is read of it"
    if commands.ac_limit is not None and (plate is None or plate.ac_max_watts is None) and profile.sunspec is None:
        yield ("commands", "ac_limit"), "needs 'nameplate.ac_max_watts', the rating that it is a part of"
