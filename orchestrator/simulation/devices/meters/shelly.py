"""Shelly Pro 3EM in the profile "triphase": input registers only (function 4), low word first.

From the Gen2 API (components Modbus, EM, EMData): number 3xxxx is register xxxx. Texts have the second character of
each pair first. In the profile "monophase" the registers from 31000 on are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestrator.simulation.devices.meters.grid import Grid
from orchestrator.simulation.devices.plain.map import READ_INPUT, Cell, PlainDevice
from orchestrator.simulation.devices.plain.words import F32, Plain, text
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import Words
from orchestrator.simulation.plant.meter import SimulatedMeter

NUMBERS_FROM = 30000
EM = range(1000, 2000)


class Pro3Em(PlainDevice):
    """One device; `is_triphase` is its profile."""

    def __init__(self, meter: SimulatedMeter, *, is_triphase: bool = True) -> None:
        self.is_triphase = is_triphase
        super().__init__([*_device(), *_em(Grid(meter))], functions=frozenset({READ_INPUT}), little=True)

    def read_inputs(self, address: int, count: int) -> Words | ExceptionCode:
        """Without the component EM where the profile is another one."""
        if address in EM and not self.is_triphase:
            return ExceptionCode.ILLEGAL_ADDRESS
        return super().read_inputs(address, count)


def _device() -> Iterator[Cell]:
    yield _input("mac", 30000, lambda: _swapped("0CB815FC1234"), text(6))
    yield _input("model", 30006, lambda: _swapped("SPEM-003CEBEU"), text(10))
    yield _input("name", 30016, lambda: _swapped("grid"), text(32))


def _em(grid: Grid) -> Iterator[Cell]:
    yield _input("amperes", 31011, lambda: sum(grid.phase_amperes(phase)() for phase in range(3)), F32)
    yield _input("watts", 31013, grid.watts, F32)
    for phase in range(3):
        yield _input(f"volts_{phase}", 31020 + 20 * phase, grid.phase_volts(phase), F32)
        yield _input(f"amperes_{phase}", 31022 + 20 * phase, grid.phase_amperes(phase), F32)
        yield _input(f"watts_{phase}", 31024 + 20 * phase, grid.phase_watts(phase), F32)
        yield _input(f"hertz_{phase}", 31033 + 20 * phase, grid.hertz, F32)
    yield _input("import_wh", 31162, grid.import_wh, F32)
    yield _input("export_wh", 31164, grid.export_wh, F32)


def _input(name: str, number: int, value: Callable[[], float | str], kind: Plain) -> Cell:
    return Cell(name, number - NUMBERS_FROM, value, kind, inputs=True)


def _swapped(characters: str) -> str:
    """Each pair of characters turned round, the last one filled up with NUL."""
    pairs = [characters[at : at + 2].ljust(2, "\0") for at in range(0, len(characters), 2)]
    return "".join(pair[::-1] for pair in pairs)
