"""Where the registers of a make lie on this device: models of one make answer at other unit ids."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.devices.base import Discovery, Refused
from orchestrator.devices.makes.registers import Register
from orchestrator.devices.makes.schema import Profile, Unit
from orchestrator.devices.profiles.device import register_value
from orchestrator.devices.profiles.plan import requests


def placed(profile: Profile, units: Mapping[str, int]) -> Profile:
    """The profile with the registers of each of its `units` where site.yaml says, by name, that they are."""
    for unit in profile.units:
        if unit.name in units:
            unit_id = units[unit.name]
            profile = _moved(profile, unit, unit_id)
            known = tuple(each for each in profile.units if each.name != unit.name)
            profile = profile.model_copy(update={"units": known})
    return profile


def located(profile: Profile) -> Discovery[Profile]:
    """The profile with the unit ids of this device; one that nobody answers for stays as it is."""
    for unit in profile.units:
        for unit_id in (unit.unit_id, *unit.others):
            moved = _moved(profile, unit, unit_id)
            (request,) = requests(moved, [unit.probe])
            answer = yield request
            words = {} if isinstance(answer, Refused) else dict(enumerate(answer, request.address))
            if register_value(moved, unit.probe, words) is not None:
                profile = moved
                break
    return profile


def _moved(profile: Profile, unit: Unit, unit_id: int) -> Profile:
    registers = {name: _at(each, unit_id) if each.unit_id == unit.unit_id else each for name, each in _all(profile)}
    return profile.model_copy(update={"registers": registers})


def _all(profile: Profile) -> tuple[tuple[str, Register], ...]:
    return tuple(profile.registers.items())


def _at(register: Register, unit_id: int) -> Register:
    """A new record: a copy would keep the place that was worked out for the old one."""
    return Register(**{name: getattr(register, name) for name in register.model_fields_set} | {"unit_id": unit_id})
