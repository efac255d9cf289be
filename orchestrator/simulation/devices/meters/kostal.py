"""KOSTAL Smart Energy Meter: its internal registers, import and export apart, high word first.

From KOSTAL's description of its Modbus interface: powers in 0.1 W, counters in 0.1 Wh, frequency in mHz, voltages in
mV; one of import and export is always 0. Registers that it does not name are refused with exception 2. Its SunSpec map
is not simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestrator.simulation.devices.meters.grid import Grid
from orchestrator.simulation.devices.plain.map import READ_HOLDING, Cell, PlainDevice
from orchestrator.simulation.devices.plain.words import U32, U64
from orchestrator.simulation.plant.meter import SimulatedMeter

PHASES_AT = (40, 80, 120)


class Ksem(PlainDevice):
    """One meter at its LAN port."""

    def __init__(self, meter: SimulatedMeter) -> None:
        super().__init__(_values(Grid(meter)), functions=frozenset({READ_HOLDING}))


def _values(grid: Grid) -> Iterator[Cell]:
    yield from _both_ways("all", 0, grid.watts)
    yield Cell("hertz", 26, grid.hertz, U32, 0.001)
    for phase, address in enumerate(PHASES_AT):
        yield from _both_ways(f"phase_{phase}", address, grid.phase_watts(phase))
        yield Cell(f"volts_{phase}", address + 22, grid.phase_volts(phase), U32, 0.001)
    yield Cell("import_wh", 512, grid.import_wh, U64, 0.1)
    yield Cell("export_wh", 516, grid.export_wh, U64, 0.1)


def _both_ways(name: str, address: int, watts: Callable[[], float]) -> Iterator[Cell]:
    yield Cell(f"{name}_import", address, lambda: max(watts(), 0.0), U32, 0.1)
    yield Cell(f"{name}_export", address + 2, lambda: max(-watts(), 0.0), U32, 0.1)
