"""An AlphaESS SMILE hybrid: holding registers alone, high word first, unit 85.

From senalse/ha-alphaess-modbus (docs/register_map, const), SorX14/alphaess_modbus (registers, example), evcc's template
alpha-ess-smile and issue 32352 of evcc. They cite the "AlphaESS Register Parameter List". The rules:
- The serial number of the inverter is at 0x064A (30 letters), that of the system at 0x0743 (16). There is no text of a
  model, and no rating.
- 0x0126 is the power of the battery, in 16 bits, discharging +; 0x040C what it gives to AC, in 32 bits. Each string has
  its power in 32 bits: 0x041F and on, every fourth register; 0x0453 is their sum.
- What its meters see (0x0021, and 0x00A1 for PV on the AC side) is not here: 0.
- The state of charge (0x0102) and the health (0x011B) are in 0.1 %; energies of the battery and of PV in 0.1 kWh.
- Its settings (0x0800 on, 0x084F to 0x0861) are flash memory. A dispatch at 0x0880 commands its battery for a time; it
  is not here: those registers are read as 0, and refuse writes as all others do.
- Registers that nobody names are read as 0 in its blocks, and refused outside.
Doubtful: the sign of the battery (senalse's table says charging +, its dispatch, evcc and SorX14 discharging +);
whether 0x040C has the battery in it (so here); which functions are known (3, 6 and 16 here).
"""

from __future__ import annotations

from typing import Final

from orchestrator.config.simulation import BatterySimulation
from orchestrator.simulation.devices.makes.watched.device import WatchedDevice
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import READ_HOLDING, WRITE_MANY, WRITE_ONE, Cell
from orchestrator.simulation.devices.plain.measured import Measured
from orchestrator.simulation.devices.plain.words import I16, I32, U32, text
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS, FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.plant.inverter import SimulatedInverter

NORMAL = 1
STRINGS = 6
WH_PER_COUNT = 100.0
FUNCTIONS: Final = frozenset({READ_HOLDING, WRITE_ONE, WRITE_MANY})
BLOCKS: Final = (
    (0x0000, 0x0036),
    (0x0080, 0x00B6),
    (0x0100, 0x0148),
    (0x0400, 0x0454),
    (0x0640, 0x0658),
    (0x0740, 0x0751),
    (0x0800, 0x0861),
    (0x0880, 0x0891),
)


class AlphaEssSmile(WatchedDevice):
    """A hybrid with up to six strings."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        cells = _cells(inverter)
        if inverter.settings.battery is not None:
            cells += _battery(inverter, inverter.settings.battery)
        super().__init__(inverter, reserve(cells, *BLOCKS), functions=FUNCTIONS)


def _cells(inverter: SimulatedInverter) -> list[Cell]:
    of = Measured(inverter)
    serial, system = of.serial("AC4051", 9), of.serial("ALA0021", 8)
    cells = [
        Cell("ac_watts", 0x040C, of.ac_watts, I32),
        Cell("ac_hz", 0x041C, lambda: FREQUENCY_HZ, gain=0.01),
        Cell("celsius", 0x0435, lambda: 38.5, I16, 0.1),
        Cell("pv_wh", 0x043E, lambda: inverter.pv_wh, U32, WH_PER_COUNT),
        Cell("state", 0x0440, lambda: NORMAL),
        Cell("pv_watts", 0x0453, of.pv_watts, U32),
        Cell("firmware", 0x0640, lambda: "V1.23", text(5)),
        Cell("arm_firmware", 0x0645, lambda: "V2.34", text(5)),
        Cell("serial", 0x064A, lambda: serial, text(15)),
        Cell("system_serial", 0x0743, lambda: system, text(8)),
        Cell("most_export_percent", 0x0800, lambda: 100),
        Cell("pv_peak_watts", 0x0801, lambda: inverter.settings.pv_peak_watts, U32),
    ]
    for phase in range(3):
        cells.append(Cell(f"phase_{phase}_volts", 0x0400 + phase, lambda: PHASE_VOLTS, gain=0.1))
        cells.append(Cell(f"phase_{phase}_amps", 0x0403 + phase, of.phase_amps, I16, 0.1))
        cells.append(Cell(f"phase_{phase}_watts", 0x0406 + 2 * phase, of.phase_watts, I32))
    for index in range(STRINGS):
        cells.append(Cell(f"string_{index}_volts", 0x041D + 4 * index, of.string_volts(index), gain=0.1))
        cells.append(Cell(f"string_{index}_amps", 0x041E + 4 * index, of.string_amps(index), gain=0.1))
        cells.append(Cell(f"string_{index}_watts", 0x041F + 4 * index, of.string_watts(index), U32))
    return cells


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    of = Measured(inverter)
    return [
        Cell("battery_volts", 0x0100, lambda: BATTERY_VOLTS, gain=0.1),
        Cell("battery_amps", 0x0101, of.discharge_amps, I16, 0.1),
        Cell("soc_percent", 0x0102, of.soc_percent, gain=0.1),
        Cell("coldest_celsius", 0x010D, lambda: battery.temperature_celsius, I16, 0.1),
        Cell("warmest_celsius", 0x0110, lambda: battery.temperature_celsius, I16, 0.1),
        Cell("charge_max_amps", 0x0111, lambda: battery.charge_watts / BATTERY_VOLTS, gain=0.1),
        Cell("discharge_max_amps", 0x0112, lambda: battery.discharge_watts / BATTERY_VOLTS, gain=0.1),
        Cell("modules", 0x0118, lambda: 1),
        Cell("capacity_wh", 0x0119, lambda: battery.capacity_wh, gain=WH_PER_COUNT),
        Cell("health_percent", 0x011B, lambda: 100, gain=0.1),
        Cell("charged_wh", 0x0120, lambda: inverter.charged_wh, U32, WH_PER_COUNT),
        Cell("discharged_wh", 0x0122, lambda: inverter.discharged_wh, U32, WH_PER_COUNT),
        Cell("battery_watts", 0x0126, of.discharge_watts, I16),
        Cell("discharge_ends_percent", 0x0850, lambda: battery.reserve_percent),
        Cell("charge_ends_percent", 0x0855, lambda: 100),
    ]
