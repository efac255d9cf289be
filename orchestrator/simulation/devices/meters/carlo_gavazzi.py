"""Carlo Gavazzi EM24 (RS-485 and Ethernet) and EM340: integers of 32 bits, low word first, by function 3 and 4 alike.

From the communication protocols of these meters and what Victron's drivers know of them. The rules:
- An EM24 shows export as negative power only in application H (7), the last one; an EM340 only in measurement mode B
  (1), and an EM540 in C (2) as well. Otherwise every power is shown as import.
- An EM24 with RS-485 answers at most 11 words a request, an EM340 50; identity and settings are read one by one.
- Counters are in 0.1 kWh, powers in 0.1 W.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from orchestrator.simulation.devices.meters.grid import Grid
from orchestrator.simulation.devices.plain.map import Cell, PlainDevice
from orchestrator.simulation.devices.plain.words import I32, text
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import Words
from orchestrator.simulation.plant.meter import SimulatedMeter

APPLICATION_H, MODE_B = 7, 1
WH_PER_COUNT = 100.0


class GavazziMeter(PlainDevice):
    """A meter with a setting (application or mode) that decides whether export is shown as negative power."""

    most_words = 125
    serial_number = "BN1234567890"

    def __init__(self, cells: Iterator[Cell], *, shows_export_at: int) -> None:
        self.setting = self._shows_export_at = shows_export_at
        both = tuple(cells)
        super().__init__(
            [*both, *(replace(cell, name=f"{cell.name} again", inputs=True) for cell in both)], little=True
        )

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """Refused with exception 3 where it is more than the meter takes in a request."""
        return ExceptionCode.ILLEGAL_VALUE if count > self.most_words else super().read(address, count)

    def read_inputs(self, address: int, count: int) -> Words | ExceptionCode:
        """The same registers by function 4."""
        return ExceptionCode.ILLEGAL_VALUE if count > self.most_words else super().read_inputs(address, count)

    def as_set(self, watts: Callable[[], float]) -> Callable[[], float]:
        """Power as the setting lets it be shown."""
        return lambda: watts() if self.setting >= self._shows_export_at else abs(watts())

    def measured(self, grid: Grid) -> Iterator[Cell]:
        """What all of them have at the same addresses."""
        for phase in range(3):
            yield Cell(f"volts_{phase}", 2 * phase, grid.phase_volts(phase), I32, 0.1)
            yield Cell(f"amperes_{phase}", 0x0C + 2 * phase, grid.phase_amperes(phase), I32, 0.001)
            yield Cell(f"watts_{phase}", 0x12 + 2 * phase, self.as_set(grid.phase_watts(phase)), I32, 0.1)
        yield Cell("watts", 0x28, self.as_set(grid.watts), I32, 0.1)


class Em24(GavazziMeter):
    """EM24-DIN AV9 with RS-485."""

    most_words = 11

    def __init__(self, meter: SimulatedMeter) -> None:
        super().__init__(self._cells(Grid(meter)), shows_export_at=APPLICATION_H)

    def _cells(self, grid: Grid) -> Iterator[Cell]:
        yield from self.measured(grid)
        yield Cell("hertz", 0x37, grid.hertz, gain=0.1)
        yield Cell("import", 0x3E, grid.import_wh, I32, WH_PER_COUNT)
        yield Cell("export", 0x5C, grid.export_wh, I32, WH_PER_COUNT)
        yield Cell("application", 0x1101, lambda: self.setting)
        yield Cell("serial", 0x1300, lambda: self.serial_number, text(7))

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """The model at 000Bh, in the midst of voltages, shows only where it is asked for alone."""
        return (71,) if (address, count) == MODEL else super().read(address, count)

    def read_inputs(self, address: int, count: int) -> Words | ExceptionCode:
        """The same registers by function 4."""
        return (71,) if (address, count) == MODEL else super().read_inputs(address, count)


class Em24Ethernet(GavazziMeter):
    """EM24DINAV53XE1X."""

    def __init__(self, meter: SimulatedMeter) -> None:
        super().__init__(self._cells(Grid(meter)), shows_export_at=APPLICATION_H)

    def _cells(self, grid: Grid) -> Iterator[Cell]:
        yield from self.measured(grid)
        yield from _later_counters(grid)
        yield Cell("application", 0xA000, lambda: self.setting)
        yield Cell("serial", 0x5000, lambda: self.serial_number, text(7))

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """As with the EM24."""
        return (1651,) if (address, count) == MODEL else super().read(address, count)


class Em340(GavazziMeter):
    """EM340-DIN with RS-485; `model` 1744 makes it an EM540, whose mode C sums the phases for its counters."""

    most_words = 50
    model = 341

    def __init__(self, meter: SimulatedMeter) -> None:
        super().__init__(self._cells(Grid(meter)), shows_export_at=MODE_B)

    def _cells(self, grid: Grid) -> Iterator[Cell]:
        yield from self.measured(grid)
        yield from (
            Cell(f"apparent_and_other_{at:#x}", at, lambda: 0) for at in (*range(0x18, 0x28), *range(0x2A, 0x33))
        )
        yield from _later_counters(grid)
        yield Cell("mode", 0x1103, lambda: self.setting)

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """As with the EM24."""
        return (self.model,) if (address, count) == MODEL else super().read(address, count)


MODEL = (0x0B, 1)


def _later_counters(grid: Grid) -> Iterator[Cell]:
    yield Cell("hertz", 0x33, grid.hertz, gain=0.1)
    yield Cell("import", 0x34, grid.import_wh, I32, WH_PER_COUNT)
    yield Cell("export", 0x4E, grid.export_wh, I32, WH_PER_COUNT)
