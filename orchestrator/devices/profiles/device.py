"""What discovery found of a make's device: everything that later reads, decodes and writes start from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final

from orchestrator.devices.base import ReadRequest, Registers
from orchestrator.devices.capabilities import Capabilities
from orchestrator.devices.makes.command_schema import Condition, Revert, Sum, registers_of
from orchestrator.devices.makes.registers import Register, SignBits, read_raw, read_value
from orchestrator.devices.makes.schema import BatteryPart, Profile
from orchestrator.devices.sunspec.device import SunSpecDevice
from orchestrator.samples import Nameplate

DAY_S: Final = 86400.0


@dataclass(frozen=True)
class ProfileDevice:
    """One device of a make. `base` is its SunSpec map, where the make has one.

    `fixed` are the words that do not change, `names` the registers that a cycle is to read, `reads` its plan without
    what the device refuses. `doubtful` says that a part of what does not change could not be read, or has no value.
    """

    profile: Profile
    nameplate: Nameplate = field(default_factory=Nameplate)
    base: SunSpecDevice | None = None
    has_battery: bool = False
    fixed: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    names: tuple[str, ...] = ()
    reads: tuple[ReadRequest, ...] = ()
    doubtful: bool = False
    capabilities: Capabilities = field(default_factory=Capabilities)

    @cached_property
    def rated_watts(self) -> float | None:
        """The AC rating that powers are compared with."""
        stated = self.nameplate.ac_max_watts
        watts = self.base.rated_watts if stated is None and self.base is not None else stated
        return watts if watts is not None and watts > 0 else None


def revert_of(profile: Profile, revert: Revert, fixed: Mapping[int, int]) -> Revert:
    """What this device falls back to, by what it says of that; where it says nothing, as the profile has it."""
    if revert.only_while is not None and holds(profile, revert.only_while, fixed) is False:
        return Revert()
    told_s = None if revert.told_by is None else register_value(profile, revert.told_by, fixed)
    return revert if not told_s else Revert(after_s=min(told_s, DAY_S))


def limit_wears_flash(profile: Profile) -> bool:
    """Whether each change of the AC limit is kept permanently by the device."""
    limit = profile.commands.ac_limit
    return limit is not None and any(profile.registers[write.register_].flash for write in limit.set)


def register_value(profile: Profile, name: str, words: Mapping[int, int]) -> float | None:
    """The value of one register in its unit; None where there is none, or it is outside of what can be true."""
    register = profile.registers[name]
    value = read_value(register, words, profile.word_order)
    if value is not None and register.sign is not None:
        value = _signed(profile, value, register.sign, words)
    return value if value is None or is_true(register, value) else None


def _signed(profile: Profile, value: float, sign: SignBits, words: Mapping[int, int]) -> float:
    """The value with the sign that bits of another register say, or its own where they say none."""
    bits = read_raw(profile.registers[sign.register_], words, profile.word_order)
    if bits is None or not int(bits) & (sign.plus_bits | sign.minus_bits):
        return value
    return abs(value) if int(bits) & sign.plus_bits else -abs(value)


def is_true(register: Register, value: float) -> bool:
    """Whether a value lies within what the profile says can be true."""
    return (register.low is None or value >= register.low) and (register.high is None or value <= register.high)


def total(profile: Profile, terms: Sum, words: Mapping[int, int], more: Mapping[str, float | None]) -> float | None:
    """What a sum comes to; None where a value is missing that may not be, or all are. `more` are no registers."""
    found = []
    for term in terms:
        watts = _product(profile, term, words, more)
        if watts is not None:
            found.append(watts)
        elif not term.endswith("?"):
            return None
    return math.fsum(found) if found else None


def _product(profile: Profile, term: str, words: Mapping[int, int], more: Mapping[str, float | None]) -> float | None:
    result = -1.0 if term.startswith("-") else 1.0
    for name in registers_of((term,)):
        value = more[name] if name in more else register_value(profile, name, words)
        if value is None:
            return None
        result *= value
    return result


def holds(profile: Profile, condition: Condition, words: Mapping[int, int]) -> bool | None:
    """Whether a condition is true; None where its register has no value."""
    register = profile.registers[condition.register_]
    value = register_value(profile, condition.register_, words)
    if value is None:
        return None
    if condition.above is not None:
        return value > condition.above
    return raw_of(value, register) in {named(register, each) for each in condition.is_}


def raw_of(value: float, register: Register) -> int:
    """The raw number of a value in its unit."""
    return round(value / register.scale)


def named(register: Register, value: int | str) -> int:
    """The raw number that a profile means by a number or by the name of one."""
    return register.values[value] if isinstance(value, str) else value


def without_absent(profile: Profile, fixed: Mapping[int, int], names: Iterable[str]) -> tuple[str, ...]:
    """What a cycle reads, without batteries that said no capacity when the device was found."""
    absent = {name for part in _parts(profile) if not _capacity_wh(profile, part, fixed) for name in _read(part)}
    return tuple(name for name in names if name not in absent)


def with_whole_power(device: ProfileDevice, registers: Registers) -> Registers:
    """The words of a cycle, without any power of a battery where one of those that are there does not say its own."""
    profile = device.profile
    there = _there(device)
    if all(register_value(profile, part.watts, registers) is not None for part in there):
        return registers
    powers = {at for part in there for at in _places(profile, part.watts)}
    return {at: word for at, word in registers.items() if at not in powers}


def soc_percent(device: ProfileDevice, registers: Registers) -> float | None:
    """The state of charge; of several batteries that say it, by their capacity. It may be outside of 0 to 100 %."""
    profile, battery = device.profile, device.profile.battery
    if battery is None:
        return None
    there = _there(device)
    said = [(part, register_value(profile, part.soc_percent, registers)) for part in there]
    known = [(soc, _capacity_wh(profile, part, device.fixed)) for part, soc in said if soc is not None]
    if len(there) < 2 or not known:
        return read_value(profile.registers[battery.soc_percent], registers, profile.word_order)
    return math.fsum(soc * wh for soc, wh in known) / math.fsum(wh for _, wh in known)


def _parts(profile: Profile) -> tuple[BatteryPart, ...]:
    return () if profile.battery is None else profile.battery.parts


def _there(device: ProfileDevice) -> list[BatteryPart]:
    return [part for part in _parts(device.profile) if _capacity_wh(device.profile, part, device.fixed)]


def _capacity_wh(profile: Profile, part: BatteryPart, fixed: Mapping[int, int]) -> float:
    return register_value(profile, part.capacity_wh, fixed) or 0.0


def _read(part: BatteryPart) -> tuple[str, str]:
    return part.watts, part.soc_percent


def _places(profile: Profile, name: str) -> range:
    register = profile.registers[name]
    return range(register.place, register.end)
