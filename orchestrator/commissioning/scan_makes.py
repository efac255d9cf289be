"""Which makes a scan tries for a device: by what its SunSpec model 1 says, or by where it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.commissioning.scan_targets import PORTS
from orchestrator.devices.makes.command_schema import Commands
from orchestrator.devices.makes.library import load_profile, meter_profile_names, profile_names
from orchestrator.devices.makes.schema import Profile, SunSpecUse
from orchestrator.samples import Nameplate


def makes_like(plate: Nameplate) -> tuple[Profile, ...]:
    """The makes whose patterns fit what model 1 says, the one that asks for most first.

    A profile without patterns is for any make, and is none of these.
    """
    fitting = [(use, profile) for use, profile in _speaking_sunspec() if _fits(use, plate)]
    fitting.sort(key=lambda each: _asked_for(each[0]), reverse=True)
    return tuple(profile for _, profile in fitting)


def makes_at(port: int, unit_id: int) -> tuple[Profile, ...]:
    """The makes without SunSpec that may answer at this port and unit.

    Behind a port that is not looked at by default, and so was asked for, any of them may be.
    """
    own = (profile for profile in _makes() if profile.sunspec is None and profile.link.unit_id == unit_id)
    return tuple(profile for profile in own if profile.link.port == port or port not in PORTS)


def makes_on_a_line() -> tuple[Profile, ...]:
    """The makes without SunSpec: on a serial line any of them may be at any unit."""
    return tuple(profile for profile in _makes() if profile.sunspec is None)


def meters_that_say_so() -> tuple[Profile, ...]:
    """The meters that say their model. They may be at any unit: one at an RS-485 line has what its installer chose.

    Of the others it can only be guessed what they are, and a wrong meter is worse than none: see `likeness`.
    """
    meters = map(load_profile, meter_profile_names())
    return tuple(profile for profile in meters if _says_its_model(profile))


def meters_by_likeness() -> tuple[tuple[Profile, ...], tuple[Profile, ...]]:
    """The meters that do not say what they are: those with a frequency, and those whose registers agree otherwise.

    A frequency that a grid can have says more: the second ones are of use where none of the first is like the device,
    for the map of a larger meter may hold that of a smaller one.
    """
    meters = [(profile, profile.meter) for profile in map(load_profile, meter_profile_names()) if not profile.identity]
    with_frequency = tuple(profile for profile, meter in meters if meter and meter.frequency_hz)
    others = tuple(profile for profile, meter in meters if meter and not meter.frequency_hz and meter.likeness)
    return with_frequency, others


def _says_its_model(profile: Profile) -> bool:
    model = profile.nameplate.model if profile.nameplate else None
    return any(identity.register_ == model for identity in profile.identity)


def identity_only(profile: Profile) -> Profile:
    """The profile without anything but what tells the make: to ask a device that may be of another one."""
    nothing = {"nameplate": None, "inverter": None, "battery": None, "meter": None, "commands": Commands()}
    return profile.model_copy(update=nothing)


def _makes() -> Iterator[Profile]:
    """Without those that command a device of another make in another way: that is for people to choose."""
    return (profile for profile in map(load_profile, profile_names()) if profile.like is None)


def _speaking_sunspec() -> Iterator[tuple[SunSpecUse, Profile]]:
    for profile in _makes():
        if profile.sunspec is not None and _patterns(profile.sunspec):
            yield profile.sunspec, profile


def _patterns(use: SunSpecUse) -> tuple[str, ...]:
    return tuple(pattern for pattern in (use.manufacturer, use.model) if pattern is not None)


def _asked_for(use: SunSpecUse) -> tuple[int, int]:
    """How much a make asks for: the number of its patterns, then their length."""
    return len(_patterns(use)), sum(map(len, _patterns(use)))


def _fits(use: SunSpecUse, plate: Nameplate) -> bool:
    said = ((use.manufacturer, plate.manufacturer), (use.model, plate.model))
    return all(pattern is None or re.search(pattern, text) is not None for pattern, text in said)
