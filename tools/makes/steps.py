"""What a make's commands write, in words: one row for each command."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.devices.makes.command_schema import AsFound, ByPermission, Write, Writes
from orchestrator.devices.makes.schema import Profile

_BATTERY_COMMANDS = ("charge", "discharge", "hold", "idle", "release")


def command_rows(profile: Profile) -> list[tuple[str, str]]:
    """Each command that is in the profile, and the steps of it. What SunSpec models command is not in a profile."""
    limit, battery = profile.commands.ac_limit, profile.commands.battery
    found: list[tuple[str, Writes]] = []
    if limit is not None:
        found += [("AC limit, before (where it differs)", limit.prepare), ("AC limit", limit.set)]
        found += [("no AC limit", limit.clear), ("handed back, besides", limit.release)]
    if battery is not None:
        found += [("battery, before (where it differs)", battery.prepare)]
        found += [(name, getattr(battery, name)) for name in _BATTERY_COMMANDS]
    return [(name, _steps(profile, writes)) for name, writes in found if writes]


def _steps(profile: Profile, writes: Iterable[Write]) -> str:
    return ", ".join(_step(profile, write) for write in writes)


def _step(profile: Profile, write: Write) -> str:
    register = profile.registers[write.register_]
    unit = "" if register.unit_id is None else f"unit {register.unit_id}: "
    return f"{unit}{register.address} `{write.register_}` = {_value(profile, write)}"


def _value(profile: Profile, write: Write) -> str:
    values, to = profile.registers[write.register_].values, write.to
    if isinstance(to, ByPermission):
        return f"{_one(values, to.grid)} where it may charge from AC, else {_one(values, to.pv)}"
    if isinstance(to, AsFound):
        found = " or ".join(_one(values, each) for each in to.found)
        return f"as it was found ({found}), else {_one(values, to.otherwise)}"
    return _one(values, to)


def _one(values: dict[str, int], to: int | float | str) -> str:
    """A number, the number that a name stands for, or what is worked out from the command."""
    if isinstance(to, str):
        return f"{values[to]} ({to})" if to in values else f"*{to}*"
    return f"{to:g}"
