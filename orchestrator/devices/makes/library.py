"""The makes that are delivered: one file each in `inverters/`, read when it is first asked for."""

from __future__ import annotations

from functools import cache

from orchestrator.devices.makes.delivered import FOLDER, profile_names, profile_text
from orchestrator.devices.makes.file import parse_profile
from orchestrator.devices.makes.schema import Profile

__all__ = ["load_profile", "profile_names"]


@cache
def load_profile(name: str) -> Profile:
    """The profile of a make. Raises KeyError for a name that is not one of `profile_names`."""
    text, file = profile_text(name), FOLDER / f"{name}.yaml"
    profile = parse_profile(text, str(file))
    if profile.name != name:
        raise ValueError(f"{file} calls itself {profile.name!r}")
    return profile
