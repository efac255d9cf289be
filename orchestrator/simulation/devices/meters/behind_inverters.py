"""Meters that show in the registers of something else: an inverter, SMA's Home Manager, a GX device.

- GoodWe (Modbus Protocol Hybrid ET): active power at the meter (35139), feeding in is positive.
- Sungrow (Communication Protocol of Residential Hybrid Inverter): power at the meter and its phases (5600 to 5607,
  input registers, low word first), bought power is positive.
- Huawei ("Solar Inverter Modbus Interface Definitions"): 37100 says whether a meter works (1), feeding in is positive.
  An inverter that no meter is wired to shows 0 W, and the largest number for counters.
- SMA (Modbus profile): bought and fed in apart, in W and Wh; "not available" without a meter.
- Victron (CCGX Modbus TCP register list, com.victronenergy.grid): phases in 16 bits, counters in 0.01 kWh. The unit is
  gone while there is no meter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestrator.simulation.devices.meters.grid import Grid
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import Cell, PlainDevice
from orchestrator.simulation.devices.plain.words import I16, I32, U32, text
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import Words
from orchestrator.simulation.plant.meter import SimulatedMeter

NOTHING_I32, NOTHING_U32 = 0x7FFFFFFF, 0xFFFFFFFF
WH_PER_COUNT = 10.0
SMA_VENDOR = 461
SH10RT = 0x0E03


class HuaweiMeter(PlainDevice):
    """A SUN2000 without a battery that a DTSU666-H is wired to; `is_wired` takes the meter away."""

    def __init__(self, meter: SimulatedMeter) -> None:
        self.is_wired = True
        super().__init__(reserve([*self._inverter(), *self._meter(Grid(meter))], (37100, 37138)))

    def _inverter(self) -> Iterator[Cell]:
        yield Cell("model", 30000, lambda: "SUN2000-5KTL-M1", text(15))
        yield Cell("serial", 30015, lambda: "SIM-meter", text(10))
        yield Cell("most_watts", 30075, lambda: 5500, U32)

    def _meter(self, grid: Grid) -> Iterator[Cell]:
        yield Cell("status", 37100, lambda: int(self.is_wired))
        yield Cell("fed_in_watts", 37113, self._wired(lambda: -grid.watts(), 0), I32)
        yield Cell("hertz", 37118, self._wired(grid.hertz, 0), I16, 0.01)
        yield Cell("exported", 37119, self._wired(grid.export_wh, WH_PER_COUNT * NOTHING_I32), I32, WH_PER_COUNT)
        yield Cell("imported", 37121, self._wired(grid.import_wh, WH_PER_COUNT * NOTHING_I32), I32, WH_PER_COUNT)
        yield Cell("type", 37125, lambda: 1)
        for phase in range(3):
            watts = grid.phase_watts(phase)
            yield Cell(f"fed_in_{phase}", 37132 + 2 * phase, self._wired(_turned(watts), 0), I32)

    def _wired(self, value: Callable[[], float], otherwise: float) -> Callable[[], float]:
        return lambda: value() if self.is_wired else otherwise


class GoodweMeter(PlainDevice):
    """A GW10K-ET without a battery, with the meter that it is delivered with."""

    def __init__(self, meter: SimulatedMeter) -> None:
        grid = Grid(meter)
        cells = [
            Cell("rated_watts", 35001, lambda: 10000),
            Cell("serial", 35003, lambda: "9010KETU000W0000", text(8)),
            Cell("model", 35011, lambda: "GW10K-ET", text(5)),
            Cell("hertz", 35123, grid.hertz, gain=0.01),
            Cell("fed_in_watts", 35139, lambda: -grid.watts(), I32),
        ]
        super().__init__(reserve(cells, (35000, 35032), (35100, 35224)))


class SungrowMeter(PlainDevice):
    """An SH10RT without a battery, with the meter at its port."""

    def __init__(self, meter: SimulatedMeter) -> None:
        grid = Grid(meter)
        cells = [
            Cell("serial", 4989, lambda: "SIM-meter", text(10), inputs=True),
            Cell("type", 4999, lambda: SH10RT, inputs=True),
            Cell("rated_watts", 5000, lambda: 10000, gain=100, inputs=True),
            Cell("watts", 5600, grid.watts, I32, inputs=True),
            *(Cell(f"watts_{at}", 5602 + 2 * at, grid.phase_watts(at), I32, inputs=True) for at in range(3)),
        ]
        super().__init__(cells, little=True)


class SmaMeter(PlainDevice):
    """What an SMA hybrid shows of the Energy Meter that it hears; `is_heard` takes the meter away."""

    def __init__(self, meter: SimulatedMeter) -> None:
        self.is_heard = True
        super().__init__([*self._inverter(), *self._meter(Grid(meter))])

    def _inverter(self) -> Iterator[Cell]:
        yield Cell("device_type", 30053, lambda: 19051, U32)
        yield Cell("vendor", 30055, lambda: SMA_VENDOR, U32)
        yield Cell("serial", 30057, lambda: 3012345678, U32)
        yield Cell("rated_watts", 30231, lambda: 10000, U32)

    def _meter(self, grid: Grid) -> Iterator[Cell]:
        yield Cell("bought_wh", 30581, self._heard(grid.import_wh), U32)
        yield Cell("fed_in_wh", 30583, self._heard(grid.export_wh), U32)
        yield Cell("bought_watts", 30865, self._heard(lambda: max(grid.watts(), 0.0)), U32)
        yield Cell("fed_in_watts", 30867, self._heard(lambda: max(-grid.watts(), 0.0)), U32)

    def _heard(self, value: Callable[[], float]) -> Callable[[], float]:
        return lambda: value() if self.is_heard else NOTHING_U32


class SmaHomeManager(SmaMeter):
    """A Home Manager at its own unit: the same registers, and none of an inverter."""

    def _inverter(self) -> Iterator[Cell]:
        yield from ()


class VictronGrid(PlainDevice):
    """The service of the grid meter at a GX device; `is_there` takes it away, and its unit with it."""

    def __init__(self, meter: SimulatedMeter) -> None:
        self.is_there = True
        super().__init__(_victron(Grid(meter)))

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """Refused as a gateway does where nobody is."""
        return super().read(address, count) if self.is_there else ExceptionCode.NO_TARGET


def _victron(grid: Grid) -> Iterator[Cell]:
    yield Cell("serial", 2609, lambda: "BP98305081235", text(7))
    for phase in range(3):
        yield Cell(f"watts_{phase}", 2600 + phase, grid.phase_watts(phase), I16)
        yield Cell(f"volts_{phase}", 2616 + 2 * phase, grid.phase_volts(phase), gain=0.1)
        yield Cell(f"imported_{phase}", 2622 + 2 * phase, _third(grid.import_wh), U32, WH_PER_COUNT)
        yield Cell(f"exported_{phase}", 2628 + 2 * phase, _third(grid.export_wh), U32, WH_PER_COUNT)


def _third(value: Callable[[], float]) -> Callable[[], float]:
    return lambda: value() / 3


def _turned(value: Callable[[], float]) -> Callable[[], float]:
    return lambda: -value()
