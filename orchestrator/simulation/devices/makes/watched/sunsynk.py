"""A Sunsynk hybrid with one phase, which Deye makes and sells too: holding registers, low word first.

From kellerza/sunsynk (definitions single_phase, identity, issues that it names) and evcc's template deye-hybrid-1p. The
rules:
- Register 0 is 3. The serial number is ten digits in the registers 3 to 7. There is no text of a model.
- 190 is the power of the battery, discharging +; 175 what the inverter gives to AC; 169 its grid port, drawing +. What
  its clamp at the house's connection sees (172) is not here: 0. All in W. Temperatures have an offset of 100 degrees.
- Registers that nobody names between 0 and 349 are read as 0.
- Its settings are flash memory, so nobody writes them all day. They lie at other addresses than with three phases.
Doubtful: the newer models of 12 and 16 kW (0x0200) with 32 bits for powers; whether function 4 is known (refused here).
"""

from __future__ import annotations

from typing import Final

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.makes.watched.device import WatchedDevice
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import READ_HOLDING, WRITE_MANY, WRITE_ONE, Cell
from orchestrator.simulation.devices.plain.measured import Measured
from orchestrator.simulation.devices.plain.words import I16, U32, text
from orchestrator.simulation.devices.sunspec.values import FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.plant.inverter import SimulatedInverter

SINGLE_PHASE_HYBRID = 3
PROTOCOL = 0x0201
BATTERY_VOLTS = 51.2
STANDBY, NORMAL = 0, 2
WH_PER_COUNT = 100.0
CELSIUS_OFFSET = 100.0
FUNCTIONS: Final = frozenset({READ_HOLDING, WRITE_ONE, WRITE_MANY})
BLOCK: Final = (0, 349)


class SunsynkSinglePhase(WatchedDevice):
    """All of it on one phase."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        cells = _cells(inverter)
        if inverter.settings.battery is not None:
            cells += _battery(inverter, inverter.settings.battery)
        super().__init__(inverter, reserve(cells, BLOCK), functions=FUNCTIONS, little=True)


def _cells(inverter: SimulatedInverter) -> list[Cell]:
    of = Measured(inverter)
    serial = of.serial("21", 8)
    cells = [
        Cell("type_of_device", 0, lambda: SINGLE_PHASE_HYBRID),
        Cell("protocol", 2, lambda: PROTOCOL),
        Cell("serial", 3, lambda: serial, text(5)),
        Cell("rated_watts", 16, lambda: inverter.settings.ac_rating_watts, U32, 0.1),
        Cell("running", 43, lambda: 1),
        Cell("state", 59, lambda: _state(inverter)),
        Cell("grid_hz", 79, lambda: FREQUENCY_HZ, gain=0.01),
        Cell("celsius", 91, lambda: 38.5 + CELSIUS_OFFSET, gain=0.1),
        Cell("pv_wh", 96, lambda: inverter.pv_wh, U32, WH_PER_COUNT),
        Cell("grid_volts", 150, lambda: PHASE_VOLTS, gain=0.1),
        Cell("inverter_volts", 154, lambda: PHASE_VOLTS, gain=0.1),
        Cell("inverter_amps", 164, lambda: of.ac_watts() / PHASE_VOLTS, I16, 0.01),
        Cell("grid_port_1_watts", 167, lambda: -of.ac_watts(), I16),
        Cell("grid_port_watts", 169, lambda: -of.ac_watts(), I16),
        Cell("inverter_1_watts", 173, of.ac_watts, I16),
        Cell("inverter_watts", 175, of.ac_watts, I16),
        Cell("inverter_hz", 193, lambda: FREQUENCY_HZ, gain=0.01),
        Cell("has_grid", 194, lambda: 1),
        Cell("most_export_watts", 245, lambda: inverter.settings.ac_rating_watts),
        Cell("exports_pv", 247, lambda: 1),
    ]
    for index in range(3):
        cells += [
            Cell(f"string_{index}_volts", 109 + 2 * index, of.string_volts(index), gain=0.1),
            Cell(f"string_{index}_amps", 110 + 2 * index, of.string_amps(index), gain=0.1),
            Cell(f"string_{index}_watts", 186 + index, of.string_watts(index)),
        ]
    return cells


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    of = Measured(inverter, BATTERY_VOLTS)
    return [
        Cell("charged_wh", 72, lambda: inverter.charged_wh, U32, WH_PER_COUNT),
        Cell("discharged_wh", 74, lambda: inverter.discharged_wh, U32, WH_PER_COUNT),
        Cell("battery_celsius", 182, lambda: battery.temperature_celsius + CELSIUS_OFFSET, gain=0.1),
        Cell("battery_volts", 183, lambda: BATTERY_VOLTS, gain=0.01),
        Cell("soc_percent", 184, of.soc_percent),
        Cell("battery_watts", 190, of.discharge_watts, I16),
        Cell("battery_amps", 191, of.discharge_amps, I16, 0.01),
        Cell("charge_max_amps", 210, lambda: battery.charge_watts / BATTERY_VOLTS),
        Cell("discharge_max_amps", 211, lambda: battery.discharge_watts / BATTERY_VOLTS),
        Cell("low_soc_percent", 219, lambda: battery.reserve_percent),
        Cell("charge_allowed_amps", 314, lambda: battery.charge_watts / BATTERY_VOLTS, I16),
        Cell("discharge_allowed_amps", 315, lambda: battery.discharge_watts / BATTERY_VOLTS, I16),
    ]


def _state(inverter: SimulatedInverter) -> int:
    waits = inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY)
    return STANDBY if waits else NORMAL
