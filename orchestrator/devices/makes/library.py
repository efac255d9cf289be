"""The makes that are delivered: one file each in `makes/`, read when it is first asked for."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from orchestrator.devices.makes.file import parse_profile
from orchestrator.devices.makes.schema import Profile

_MAKES: Final = files("orchestrator.devices.makes") / "inverters"


@cache
def profile_names() -> tuple[str, ...]:
    """The names of all makes, in order."""
    return tuple(sorted(file.name.removesuffix(".yaml") for file in _MAKES.iterdir() if file.name.endswith(".yaml")))


@cache
def load_profile(name: str) -> Profile:
    """The profile of a make. Raises KeyError for a name that is not one of `profile_names`."""
    if name not in profile_names():
        raise KeyError(name)
    file = _MAKES / f"{name}.yaml"
    profile = parse_profile(file.read_text(encoding="utf-8"), str(file))
    if profile.name != name:
        raise ValueError(f"{file} calls itself {profile.name!r}")
    return profile
