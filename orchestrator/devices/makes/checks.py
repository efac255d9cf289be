"""Mistakes of a profile that no value shows alone: a register that is not there, a word that two share.

Those in what it commands are in `command_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final

from orchestrator.devices.makes.command_checks import command_checks
from orchestrator.devices.makes.command_schema import Condition, registers_of
from orchestrator.devices.makes.registers import Register, raw_range
from orchestrator.devices.makes.schema import BASE_VALUES, Battery, Inverter, Profile, writes_of
from orchestrator.documents.section import Section
from orchestrator.documents.words import nearest
from orchestrator.documents.yaml_text import Finding, KeyPath
from orchestrator.samples import ChargeState, OperatingState

_TEXTS: Final = ("model", "version", "serial")
"""Keys of `nameplate` that take a register of any type."""
_NO_REGISTERS: Final = (
    "name",
    "manufacturer",
    "ac_max_kw_in_model",
    "state",
    "matches",
    "or_matches",
    "is_",
    "to",
    "because",
)


def checks(profile: Profile) -> Iterator[Finding]:
    """Every mistake between the values of a profile. Where a register is unknown, nothing else is looked at."""
    unknown = tuple(_unknown_registers(profile))
    if unknown:
        yield from unknown
        return
    yield from _registers(profile)
    yield from _shared_words(profile)
    yield from _texts_as_numbers(profile)
    yield from _conditions(profile)
    yield from _likeness(profile)
    yield from _states(profile)
    yield from _parts(profile)
    yield from _patterns(profile)
    yield from command_checks(profile)


def _mentions(profile: Profile) -> Iterator[tuple[KeyPath, str]]:
    """Every place that names a register, and the name."""
    parts = ("identity", "units", "nameplate", "inverter", "battery", "meter", "commands")
    for part in parts:
        yield from _named(getattr(profile, part), (part,))


def _named(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, Section):
        for name, field in type(value).model_fields.items():
            if name not in _NO_REGISTERS:
                yield from _named(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _named(item, (*path, index))
    elif isinstance(value, str):
        for name in registers_of((value,)):
            yield path, name


def _unknown_registers(profile: Profile) -> Iterator[Finding]:
    for name, register in profile.registers.items():
        if register.sign is not None and register.sign.register_ not in profile.registers:
            path: KeyPath = ("registers", name, "sign", "register")
            yield path, f"{register.sign.register_!r} is not one of the registers of this profile"
    for path, name in _mentions(profile):
        if name in profile.registers:
            continue
        is_reading = path[0] in ("inverter", "battery") and isinstance(path[-1], int)
        if name not in BASE_VALUES:
            known = (*profile.registers, *(BASE_VALUES if is_reading and profile.sunspec else ()))
            yield path, f"{name!r} is not one of the registers of this profile; {nearest(name, known)}"
        elif not is_reading:
            yield path, f"{name!r} is no register; it may stand in the sums of 'inverter' and 'battery' only"
        elif profile.sunspec is None:
            yield path, f"{name!r} needs 'sunspec'"


def _registers(profile: Profile) -> Iterator[Finding]:
    for name, register in profile.registers.items():
        path = ("registers", name)
        if name in BASE_VALUES:
            yield path, f"{name!r} is what the models of SunSpec say; take another name"
        if register.address + register.size > 0x10000:
            yield (*path, "address"), f"{register.size} words from here go beyond 65535"
        if register.low is not None and register.high is not None and register.low > register.high:
            yield (*path, "low"), "must not be above 'high'"
        for value, raw in register.values.items():
            if not _fits(register, raw):
                yield (*path, "values", value), f"{raw} does not fit the type {register.type!r}"


def _fits(register: Register, raw: float) -> bool:
    low, high = raw_range(register)
    return register.type != "text" and low <= raw <= high


def _shared_words(profile: Profile) -> Iterator[Finding]:
    """Some makes read other things than were written at an address: what is never read back may lie there."""
    taken: dict[tuple[int, bool], str] = {}
    for name, register in profile.registers.items():
        places = ((place, register.read_back) for place in range(register.place, register.end))
        others = {taken.setdefault(place, name) for place in places} - {name}
        for other in sorted(others):
            yield ("registers", name), f"the registers {other!r} and {name!r} share a word"


def _texts_as_numbers(profile: Profile) -> Iterator[Finding]:
    for path, name in _mentions(profile):
        may_be_text = path[0] == "identity" or (path[0] == "nameplate" and path[-1] in _TEXTS)
        is_step = path[0] == "commands" and isinstance(path[-2], int)
        is_text = name in profile.registers and profile.registers[name].type == "text"
        if is_text and not may_be_text and not is_step:
            yield path, f"{name!r} is a text, and a number is needed here"


def _likeness(profile: Profile) -> Iterator[Finding]:
    likeness = profile.meter.likeness if profile.meter else None
    if likeness is None:
        return
    if (likeness.total is None) != (likeness.parts is None):
        yield ("meter", "likeness"), "'total' and 'parts' belong together"
    if likeness.total is None and likeness.apart is None:
        yield ("meter", "likeness"), "needs 'total' and 'parts', or 'apart'"


def _conditions(profile: Profile) -> Iterator[Finding]:
    for index, need in enumerate(profile.meter.needs if profile.meter else ()):
        yield from _values(("meter", "needs", index, "is"), need.is_, profile, need.register_)
    for path, condition in _all_conditions(profile, ()):
        if bool(condition.is_) == (condition.above is not None):
            yield path, "a condition needs 'is' or 'above', and not both"
        yield from _values((*path, "is"), condition.is_, profile, condition.register_)


def _states(profile: Profile) -> Iterator[Finding]:
    yield from _state(profile, ("inverter", "state"), profile.inverter, OperatingState)
    yield from _state(profile, ("battery", "state"), profile.battery, ChargeState)


def _state(
    profile: Profile, path: KeyPath, part: Inverter | Battery | None, states: type[IntEnum]
) -> Iterator[Finding]:
    if part is None:
        return
    if bool(part.state) != (part.state_register is not None):
        yield path[:1], "'state' and 'state_register' belong together"
        return
    known = [state.name.lower() for state in states]
    for name, numbers in part.state.items():
        if name not in known:
            yield (*path, name), f"{name!r} is no state; {nearest(name, known)}"
        yield from _values((*path, name), numbers, profile, part.state_register or "")


def _values(path: KeyPath, numbers: Iterable[int | str], profile: Profile, name: str) -> Iterator[Finding]:
    for index, number in enumerate(numbers):
        known = profile.registers[name].values
        if isinstance(number, str) and number not in known:
            yield (*path, index), f"{number!r} is not one of the values of {name!r}; {nearest(number, known)}"


def _all_conditions(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, Condition]]:
    if isinstance(value, Condition):
        yield path, value
    elif isinstance(value, Section):
        for name, field in type(value).model_fields.items():
            yield from _all_conditions(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _all_conditions(item, (*path, index))


def _parts(profile: Profile) -> Iterator[Finding]:
    if profile.read_only is not None and any(writes_of(profile)):
        yield ("read_only",), "a profile that is read only commands nothing; leave out 'commands'"
    if profile.sunspec is None:
        needed = ("nameplate",) if profile.is_meter else ("nameplate", "inverter")
        for part in needed:
            if getattr(profile, part) is None:
                yield (), f"a profile without 'sunspec' needs {part!r}"
    for name, register in profile.registers.items():
        if register.size > profile.read_words_max:
            yield ("registers", name), f"has {register.size} words, more than 'read_words_max'"


def _patterns(profile: Profile) -> Iterator[Finding]:
    yield from _rating_in_model(profile)
    found: list[tuple[KeyPath, str | None]] = [
        (("identity", index, "matches"), identity.matches) for index, identity in enumerate(profile.identity)
    ]
    found += [(("identity", index, "or_matches"), each.or_matches) for index, each in enumerate(profile.identity)]
    if profile.sunspec is not None:
        found += [(("sunspec", key), getattr(profile.sunspec, key)) for key in ("manufacturer", "model")]
    for index, identity in enumerate(profile.identity):
        if (identity.or_register is None) != (identity.or_matches is None):
            yield ("identity", index), "'or_register' and 'or_matches' belong together"
    for path, pattern in found:
        yield from _pattern(path, pattern)


def _pattern(path: KeyPath, pattern: str | None) -> Iterator[Finding]:
    try:
        re.compile(pattern or "")
    except re.error as error:
        yield path, f"{pattern!r} is not a pattern: {error}"


def _rating_in_model(profile: Profile) -> Iterator[Finding]:
    plate, path = profile.nameplate, ("nameplate", "ac_max_kw_in_model")
    if plate is None or plate.ac_max_kw_in_model is None:
        return
    if plate.model is None:
        yield path, "needs 'model', which it is looked for in"
    wrong = tuple(_pattern(path, plate.ac_max_kw_in_model))
    yield from wrong
    if not wrong and re.compile(plate.ac_max_kw_in_model).groups != 1:
        yield path, "needs one group in brackets, which is the rating in kW"
