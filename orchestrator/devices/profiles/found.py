"""What a device was set to by its owner: settings that `release` puts back, and the reserve of its battery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.devices.base import Registers
from orchestrator.devices.makes.command_schema import AsFound
from orchestrator.devices.makes.schema import Profile, writes_of
from orchestrator.devices.profiles.device import named, raw_of, register_value


def found_settings(profile: Profile, registers: Registers) -> tuple[tuple[str, int], ...]:
    """The registers that `release` puts back, with the raw numbers shown; without those that show what is ours."""
    return tuple(dict(_found(profile, registers)).items())


def to_put_back(profile: Profile, recorded: Mapping[str, int], registers: Registers) -> dict[str, int]:
    """What `release` puts back: what is on record; where nothing is, what is shown was never changed and stays."""
    return dict(_found(profile, registers)) | dict(recorded)


def is_empty(profile: Profile, registers: Registers) -> bool:
    """Whether the battery is at or below the reserve that is set in the device. False where either is not known."""
    battery = profile.battery
    if battery is None or battery.soc_min_percent is None:
        return False
    soc, least = (register_value(profile, name, registers) for name in (battery.soc_percent, battery.soc_min_percent))
    return soc is not None and least is not None and soc <= least


def _found(profile: Profile, registers: Registers) -> Iterator[tuple[str, int]]:
    for write in writes_of(profile):
        if not isinstance(write.to, AsFound):
            continue
        register = profile.registers[write.register_]
        value = register_value(profile, write.register_, registers)
        raw = None if value is None else raw_of(value, register)
        if raw is not None and raw in {named(register, each) for each in write.to.found}:
            yield write.register_, raw
