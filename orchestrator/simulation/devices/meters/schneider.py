"""Schneider Electric iEM3155: floats in kW and counters of 64 bits in Wh, in holding registers.

From the user manual of the iEM3000 series. Its register numbers count from 1: on the wire they are one less. It knows
function 3 for reading and 16 for writing; registers that it does not name are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestrator.simulation.devices.meters.grid import Grid
from orchestrator.simulation.devices.plain.map import READ_HOLDING, WRITE_MANY, Cell, PlainDevice
from orchestrator.simulation.devices.plain.words import F32, I64, U32, Plain, text
from orchestrator.simulation.plant.meter import SimulatedMeter

WATTS_PER_KW = 1000.0
SERIAL_NUMBER = 1810302412


class Iem3000(PlainDevice):
    """One meter; `model` is what it calls itself."""

    def __init__(self, meter: SimulatedMeter, model: str = "iEM3155") -> None:
        self.model = model
        grid = Grid(meter)
        super().__init__([*self._identity(), *_measured(grid)], functions=frozenset({READ_HOLDING, WRITE_MANY}))

    def _identity(self) -> Iterator[Cell]:
        yield _register("name", 30, lambda: "Energy Meter", text(20))
        yield _register("model", 50, lambda: self.model, text(20))
        yield _register("manufacturer", 70, lambda: "Schneider Electric", text(20))
        yield _register("serial", 130, lambda: SERIAL_NUMBER, U32)


def _measured(grid: Grid) -> Iterator[Cell]:
    for phase in range(3):
        watts = grid.phase_watts(phase)
        yield _register(f"volts_{phase}", 3028 + 2 * phase, grid.phase_volts(phase), F32)
        yield _register(f"kw_{phase}", 3054 + 2 * phase, _in_kw(watts), F32)
    yield _register("kw", 3060, _in_kw(grid.watts), F32)
    yield _register("hertz", 3110, grid.hertz, F32)
    yield _register("import_wh", 3204, grid.import_wh, I64)
    yield _register("export_wh", 3208, grid.export_wh, I64)


def _in_kw(watts: Callable[[], float]) -> Callable[[], float]:
    return lambda: watts() / WATTS_PER_KW


def _register(name: str, number: int, value: Callable[[], float | str], kind: Plain) -> Cell:
    return Cell(name, number - 1, value, kind)
