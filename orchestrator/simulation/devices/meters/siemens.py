"""Siemens SENTRON PAC2200: floats of 32 bits, counters as floats of 64 bits in Wh, by function 3 and 4 alike.

From appendix A of its manual: the offsets are the addresses on the wire. A read that begins or ends within a value is
refused. The counters are those of tariff 1. Where not all phases are wired, the powers of the phases are not a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import nan

from orchestrator.simulation.devices.meters.grid import Grid
from orchestrator.simulation.devices.plain.map import Cell, PlainDevice
from orchestrator.simulation.devices.plain.words import F32, F64
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import Words
from orchestrator.simulation.plant.meter import SimulatedMeter


class Pac2200(PlainDevice):
    """One meter with an Ethernet port; `has_all_phases` says whether all are wired."""

    def __init__(self, meter: SimulatedMeter) -> None:
        self.has_all_phases = True
        cells = tuple(self._values(Grid(meter)))
        self._begins = {cell.address for cell in cells}
        self._ends = {cell.end for cell in cells}
        super().__init__([*cells, *(replace(cell, name=f"{cell.name} again", inputs=True) for cell in cells)])

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """Whole values only."""
        return super().read(address, count) if self._is_whole(address, count) else ExceptionCode.ILLEGAL_ADDRESS

    def read_inputs(self, address: int, count: int) -> Words | ExceptionCode:
        """The same registers by function 4."""
        return super().read_inputs(address, count) if self._is_whole(address, count) else ExceptionCode.ILLEGAL_ADDRESS

    def _is_whole(self, address: int, count: int) -> bool:
        return address in self._begins and address + count in self._ends

    def _values(self, grid: Grid) -> Iterator[Cell]:
        for phase in range(3):
            yield Cell(f"volts_{phase}", 1 + 2 * phase, grid.phase_volts(phase), F32)
            yield Cell(f"amperes_{phase}", 13 + 2 * phase, grid.phase_amperes(phase), F32)
            yield Cell(f"watts_{phase}", 25 + 2 * phase, self._wired(grid.phase_watts(phase)), F32)
        yield Cell("hertz", 55, grid.hertz, F32)
        yield Cell("watts", 65, grid.watts, F32)
        yield Cell("import_wh_1", 801, grid.import_wh, F64)
        yield Cell("import_wh_2", 805, lambda: 0.0, F64)
        yield Cell("export_wh_1", 809, grid.export_wh, F64)
        yield Cell("export_wh_2", 813, lambda: 0.0, F64)

    def _wired(self, watts: Callable[[], float]) -> Callable[[], float]:
        return lambda: watts() if self.has_all_phases else nan
