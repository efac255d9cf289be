"""Registers of a make that can be written: what each allows, and what it holds now."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.simulation.devices.plain.map import Cell
from orchestrator.simulation.devices.plain.words import U16, Plain


@dataclass(frozen=True, slots=True)
class Between:
    """The numbers from `low` to `high`, both included."""

    low: float
    high: float

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int | float) and self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class Setting:
    """A value in holding registers from the 0-based `address` on; `allowed` and `start` in its unit: raw x `gain`."""

    name: str
    address: int
    allowed: Container[float]
    start: float = 0
    kind: Plain = U16
    gain: float = 1.0


class Settings:
    """The settings of one device, by name, in their units."""

    def __init__(self, settings: Iterable[Setting]) -> None:
        self._settings = {setting.name: setting for setting in settings}
        self._values = {name: setting.start for name, setting in self._settings.items()}

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __setitem__(self, name: str, value: float) -> None:
        """The device itself changes a setting."""
        self._values[name] = value

    def accepts(self, written: Mapping[str, float]) -> bool:
        """Whether every value is one that its setting allows."""
        return all(value in self._settings[name].allowed for name, value in written.items())

    def take(self, written: Mapping[str, float]) -> None:
        """Keep values that `accepts` allowed."""
        self._values.update(written)

    def cells(self) -> list[Cell]:
        """The registers, as they are read and written."""
        return [self._cell(setting) for setting in self._settings.values()]

    def _cell(self, setting: Setting) -> Cell:
        return Cell(
            setting.name,
            setting.address,
            lambda: self._values[setting.name],
            setting.kind,
            setting.gain,
            writable=True,
        )
