"""All drivers that speak Modbus, by the name that `driver:` of site.yaml has for them; made when one is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from orchestrator.devices.base import AnyDriver
from orchestrator.devices.makes.choice import SUNSPEC
from orchestrator.devices.makes.file import PROFILE_YAML
from orchestrator.devices.makes.library import load_profile, meter_profile_names, profile_names
from orchestrator.devices.profiles.driver import ProfileDriver
from orchestrator.devices.profiles.location import placed
from orchestrator.devices.sunspec.driver import SunSpecDriver


class DriverLibrary(Mapping[str, AnyDriver]):
    """The SunSpec driver, and one for each make."""

    def __init__(self) -> None:
        self._made: dict[str, AnyDriver] = {SUNSPEC: SunSpecDriver()}

    def __getitem__(self, name: str) -> AnyDriver:
        """Raises KeyError where there is no such driver."""
        if name not in self._made:
            self._made[name] = ProfileDriver(load_profile(name))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter((SUNSPEC, *profile_names(), *meter_profile_names()))

    def __len__(self) -> int:
        return 1 + len(profile_names()) + len(meter_profile_names())


class Chosen(Protocol):
    """What a section of site.yaml says of a driver: its name, or the path of a profile, and where further units are."""

    @property
    def driver(self) -> str:
        """One of the library."""

    @property
    def profile(self) -> str | None:
        """The file of a make that is not delivered, in place of `driver`."""

    @property
    def units(self) -> Mapping[str, int]:
        """Unit ids by the names that the profile has for them."""


def driver_of(section: Chosen, drivers: Mapping[str, AnyDriver]) -> AnyDriver:
    """The driver of a device. Raises ConfigError where the file of a profile is not one (any more)."""
    if section.profile is not None:
        return ProfileDriver(placed(PROFILE_YAML.load(Path(section.profile), {}), section.units))
    driver = drivers[section.driver]
    if section.units and isinstance(driver, ProfileDriver):
        return ProfileDriver(placed(driver.profile, section.units))
    return driver
