"""A device that is written in other registers than it is read from: one address means two things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.simulation.devices.plain.map import Cell, Number, Places, PlainDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import Words


class ApartPlaces(Places):
    """Cells that are read, and others that are written, at addresses that may be the same."""

    def __init__(self, shown: Iterable[Cell], commands: Iterable[Cell], *, little: bool) -> None:
        super().__init__(shown, little=little, holes_are_zero=False)
        self._commands = Places(commands, little=little, holes_are_zero=False)

    def written(self, address: int, words: Words) -> Mapping[str, Number] | ExceptionCode:
        """The values of the commands that `words` cover whole."""
        return self._commands.written(address, words)


class ApartDevice(PlainDevice):
    """A plain device: `shown` is read, `commands` are written and never read."""

    def __init__(self, shown: Iterable[Cell], commands: Iterable[Cell], *, little: bool = False) -> None:
        shown = tuple(shown)
        super().__init__(shown, little=little)
        self.registers = ApartPlaces((cell for cell in shown if not cell.inputs), commands, little=little)
