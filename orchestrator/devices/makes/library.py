"""The makes that are delivered: one file each below `makes/`, read when it is first asked for."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from orchestrator.devices.makes.file import parse_profile
from orchestrator.devices.makes.schema import Profile

_MAKES: Final = files("orchestrator.devices.makes")
_INVERTERS, _METERS = "inverters", "meters"


@cache
def profile_names() -> tuple[str, ...]:
    """The names of all makes of inverters, in order; some of them pass on what a meter of theirs says."""
    return _names(_INVERTERS)


@cache
def meter_profile_names() -> tuple[str, ...]:
    """The names of all makes of meters, in order."""
    return _names(_METERS)


@cache
def load_profile(name: str) -> Profile:
    """The profile of a make. Raises KeyError for a name that is neither of an inverter nor of a meter."""
    if name not in (*profile_names(), *meter_profile_names()):
        raise KeyError(name)
    file = _MAKES / (_INVERTERS if name in profile_names() else _METERS) / f"{name}.yaml"
    profile = parse_profile(file.read_text(encoding="utf-8"), str(file))
    if profile.name != name:
        raise ValueError(f"{file} calls itself {profile.name!r}")
    return profile


def _names(folder: str) -> tuple[str, ...]:
    found = (file.name for file in (_MAKES / folder).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))
