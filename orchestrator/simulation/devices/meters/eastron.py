"""Eastron SDM630 and SDM72: every value is a float in two input registers, high word first.

From Eastron's Modbus protocols of the SDM630 and of the SDM72D-M (V1.1). Parameter n (from 30001) is at n - 30001.
Energy is in kWh, the total is import and export together. Registers between the parameters are refused; nothing is
written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestrator.simulation.devices.meters.grid import Grid
from orchestrator.simulation.devices.plain.map import Cell, PlainDevice
from orchestrator.simulation.devices.plain.words import F32, U32
from orchestrator.simulation.plant.meter import SimulatedMeter

WH_PER_KWH = 1000.0
SERIAL_NUMBER = 20123456
FIRST = 30001


class Sdm630(PlainDevice):
    """Three phases, with the serial number in a holding register."""

    def __init__(self, meter: SimulatedMeter) -> None:
        self.grid = Grid(meter)
        super().__init__([*_phases(self.grid), *_totals(self.grid), Cell("serial", 0xFC00, lambda: SERIAL_NUMBER, U32)])


class Sdm72(PlainDevice):
    """The first version: total power, that of each direction, and counters; nothing else."""

    def __init__(self, meter: SimulatedMeter) -> None:
        grid = Grid(meter)
        both_ways = [
            _float("import_watts", 31281, lambda: max(grid.watts(), 0.0)),
            _float("export_watts", 31283, lambda: max(-grid.watts(), 0.0)),
        ]
        super().__init__([*(cell for cell in _totals(grid) if cell.name != "hertz"), *both_ways])


def _phases(grid: Grid) -> Iterator[Cell]:
    for phase in range(3):
        yield _float(f"volts_{phase}", 30001 + 2 * phase, grid.phase_volts(phase))
        yield _float(f"amperes_{phase}", 30007 + 2 * phase, grid.phase_amperes(phase))
        yield _float(f"watts_{phase}", 30013 + 2 * phase, grid.phase_watts(phase))


def _totals(grid: Grid) -> Iterator[Cell]:
    yield _float("watts", 30053, grid.watts)
    yield _float("hertz", 30071, grid.hertz)
    yield _float("import_kwh", 30073, lambda: grid.import_wh() / WH_PER_KWH)
    yield _float("export_kwh", 30075, lambda: grid.export_wh() / WH_PER_KWH)
    yield _float("both_kwh", 30343, lambda: (grid.import_wh() + grid.export_wh()) / WH_PER_KWH)


def _float(name: str, parameter: int, value: Callable[[], float]) -> Cell:
    return Cell(name, parameter - FIRST, value, F32, inputs=True)
