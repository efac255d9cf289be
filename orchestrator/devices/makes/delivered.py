"""The texts of the makes that are delivered, one file each in `inverters/`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

FOLDER: Final = files("orchestrator.devices.makes") / "inverters"


@cache
def profile_names() -> tuple[str, ...]:
    """The names of all makes, in order."""
    return tuple(sorted(file.name.removesuffix(".yaml") for file in FOLDER.iterdir() if file.name.endswith(".yaml")))


def profile_text(name: str) -> str:
    """What stands in the file of a make. Raises KeyError for a name that is not one of `profile_names`."""
    if name not in profile_names():
        raise KeyError(name)
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
