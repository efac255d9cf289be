"""All drivers that speak Modbus, by the name that `driver:` of site.yaml has for them; made when one is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.devices.base import AnyDriver
from orchestrator.devices.makes.choice import SUNSPEC
from orchestrator.devices.makes.library import load_profile, meter_profile_names, profile_names
from orchestrator.devices.profiles.driver import ProfileDriver
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
