"""Janitza UMG: the block of "frequently required readings", floats in holding registers from 19000 on.

From the address lists of UMG 604 and UMG 96RM-E: high word first, W and Wh; consumed is import, delivered is export.
The whole block is there, so it can be read in one request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestrator.simulation.devices.meters.grid import Grid
from orchestrator.simulation.devices.plain.map import Cell, PlainDevice
from orchestrator.simulation.devices.plain.words import F32
from orchestrator.simulation.plant.meter import SimulatedMeter

FIRST, LAST = 19000, 19120


class Umg(PlainDevice):
    """UMG 604, or another of its series."""

    def __init__(self, meter: SimulatedMeter) -> None:
        known = dict(_readings(Grid(meter)))
        super().__init__(_block(known))


def _block(known: dict[int, Callable[[], float]]) -> Iterator[Cell]:
    for address in range(FIRST, LAST + 1, 2):
        yield Cell(f"reading {address}", address, known.get(address, _nothing), F32)


def _readings(grid: Grid) -> Iterator[tuple[int, Callable[[], float]]]:
    for phase in range(3):
        yield 19000 + 2 * phase, grid.phase_volts(phase)
        yield 19012 + 2 * phase, grid.phase_amperes(phase)
        yield 19020 + 2 * phase, grid.phase_watts(phase)
    yield 19026, grid.watts
    yield 19050, grid.hertz
    yield 19060, lambda: grid.import_wh() - grid.export_wh()
    yield 19068, grid.import_wh
    yield 19076, grid.export_wh


def _nothing() -> float:
    return 0.0
