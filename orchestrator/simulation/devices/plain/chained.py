"""A device that shows a SunSpec chain from 40000 on, beside registers at addresses that its own document fixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.simulation.devices.plain.map import Cell, Number, Places, PlainDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, RegisterMap
from orchestrator.simulation.devices.sunspec.words import Words


class ChainedPlaces(Places):
    """Cells and a chain. Points are named as in `103.W`; a write to one that is not `writable` is ignored."""

    def __init__(self, chain: RegisterMap, writable: frozenset[str], cells: Iterable[Cell], *, little: bool) -> None:
        super().__init__(cells, little=little, holes_are_zero=False)
        self._chain = chain
        self._writable = writable

    def address(self, name: str) -> int:
        """The first address of a cell or of a point. Raises KeyError."""
        return self._chain.address(name) if "." in name else super().address(name)

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` words from `address`: all of the chain, or all of cells."""
        if self._chain.holds(address, count):
            return self._chain.read(address, count)
        return super().read(address, count)

    def written(self, address: int, words: Words) -> Mapping[str, Number] | ExceptionCode:
        """The values of the cells, or the raw words of the writable points, that `words` cover."""
        if not self._chain.holds(address, len(words)):
            return super().written(address, words)
        hit = self._chain.names(address, words)
        return {name: float(word) for name, word in hit.items() if name in self._writable}


class ChainedDevice(PlainDevice):
    """A plain device with a chain. `refuses` and `taken` are given raw words for the `writable` points of the chain.

    `little` is for its own registers; SunSpec always has the high word first.
    """

    def __init__(
        self, chain: RegisterMap, cells: Iterable[Cell], *, writable: frozenset[str] = frozenset(), little: bool = False
    ) -> None:
        cells = tuple(cells)
        super().__init__(cells, little=little)
        self.registers = ChainedPlaces(chain, writable, cells, little=little)
