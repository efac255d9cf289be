"""Deye hybrids with three phases: holding registers, low word first. Sunsynk sells the same devices.

From kellerza/sunsynk (definitions three_phase_common, _lv and _hv, identity), issue 52 of klatremis/esphome-for-deye,
kbialek/deye-inverter-mqtt (pull request 317), and evcc's templates deye-hybrid-3p and deye-hybrid-hp3. The rules:
- Register 0 says what it is: 5 with a battery of low voltage (SG04LP3), 6 of high voltage (SG01HP3). The serial number
  is ten digits in the registers 3 to 7. There is no text of a model.
- The power of PV (672 on) and of the battery (590, discharging +) are in W with low voltage, in 10 W with high voltage;
  the battery's voltage (587) in 0.01 V and in 0.1 V. Nothing but register 0 says which.
- 636 is what the inverter gives to AC, in W; 607 is the same at its grid port, drawing +. What its own meter (619, 625)
  sees is not here: 0. Temperatures have an offset of 100 degrees.
- Registers that nobody names between 0 and 799 are read as 0.
- Its settings are flash memory, so nobody writes them all day.
Doubtful: numbers of other types (0x0500, 0x0601 and more were seen); the high words of powers that newer firmware has
in 687 to 708 (0 here); whether function 4 is known (refused here).
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
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS, FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.plant.inverter import SimulatedInverter

LOW_VOLTAGE, HIGH_VOLTAGE = 5, 6
LOW_BATTERY_VOLTS = 51.2
STANDBY, NORMAL = 0, 2
PROTOCOL = 0x0104
LITHIUM, NO_BATTERY = 1, 2
WH_PER_COUNT = 100.0
CELSIUS_OFFSET = 100.0
FUNCTIONS: Final = frozenset({READ_HOLDING, WRITE_ONE, WRITE_MANY})
BLOCK: Final = (0, 799)


class DeyeLowVoltage(WatchedDevice):
    """A hybrid with a battery of about 50 V."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        cells = [Cell("type_of_device", 0, lambda: LOW_VOLTAGE), *_cells(inverter, watts=1.0)]
        if inverter.settings.battery is not None:
            cells += _battery(inverter, inverter.settings.battery, LOW_BATTERY_VOLTS, volts=0.01, watts=1.0)
        super().__init__(inverter, reserve(cells, BLOCK), functions=FUNCTIONS, little=True)


class DeyeHighVoltage(WatchedDevice):
    """A hybrid with a battery of some 100 V: powers at DC in 10 W."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        cells = [Cell("type_of_device", 0, lambda: HIGH_VOLTAGE), *_cells(inverter, watts=10.0)]
        if inverter.settings.battery is not None:
            cells += _battery(inverter, inverter.settings.battery, BATTERY_VOLTS, volts=0.1, watts=10.0)
        super().__init__(inverter, reserve(cells, BLOCK), functions=FUNCTIONS, little=True)


def _cells(inverter: SimulatedInverter, *, watts: float) -> list[Cell]:
    """What both show. `watts` are the W of one count at DC."""
    of = Measured(inverter)
    has_battery, serial = inverter.settings.battery is not None, of.serial("22", 8)
    cells = [
        Cell("protocol", 2, lambda: PROTOCOL),
        Cell("serial", 3, lambda: serial, text(5)),
        Cell("rated_watts", 20, lambda: inverter.settings.ac_rating_watts, U32, 0.1),
        Cell("running", 80, lambda: 1),
        Cell("type_of_battery", 111, lambda: LITHIUM if has_battery else NO_BATTERY),
        Cell("most_export_watts", 143, lambda: inverter.settings.ac_rating_watts, gain=watts),
        Cell("exports_pv", 145, lambda: 1),
        Cell("state", 500, lambda: _state(inverter)),
        Cell("pv_wh", 534, lambda: inverter.pv_wh, U32, WH_PER_COUNT),
        Cell("celsius", 541, lambda: 38.5 + CELSIUS_OFFSET, gain=0.1),
        Cell("grid_port_watts", 607, lambda: -of.ac_watts(), I16),
        Cell("grid_hz", 609, lambda: FREQUENCY_HZ, gain=0.01),
        Cell("inverter_watts", 636, of.ac_watts, I16),
        Cell("inverter_hz", 638, lambda: FREQUENCY_HZ, gain=0.01),
    ]
    for phase in range(3):
        cells += [
            Cell(f"grid_{phase}_volts", 598 + phase, lambda: PHASE_VOLTS, gain=0.1),
            Cell(f"grid_port_{phase}_watts", 604 + phase, lambda: -of.phase_watts(), I16),
            Cell(f"inverter_{phase}_volts", 627 + phase, lambda: PHASE_VOLTS, gain=0.1),
            Cell(f"inverter_{phase}_amps", 630 + phase, of.phase_amps, I16, 0.01),
            Cell(f"inverter_{phase}_watts", 633 + phase, of.phase_watts, I16),
        ]
    for index in range(4):
        cells += [
            Cell(f"string_{index}_watts", 672 + index, of.string_watts(index), gain=watts),
            Cell(f"string_{index}_volts", 676 + 2 * index, of.string_volts(index), gain=0.1),
            Cell(f"string_{index}_amps", 677 + 2 * index, of.string_amps(index), gain=0.1),
        ]
    return cells


def _battery(
    inverter: SimulatedInverter, battery: BatterySimulation, at_volts: float, *, volts: float, watts: float
) -> list[Cell]:
    """A battery of `at_volts`. `volts` and `watts` are the V and the W of one count."""
    of = Measured(inverter, at_volts)
    return [
        Cell("charge_max_amps", 108, lambda: battery.charge_watts / at_volts),
        Cell("discharge_max_amps", 109, lambda: battery.discharge_watts / at_volts),
        Cell("low_soc_percent", 117, lambda: battery.reserve_percent),
        Cell("charged_wh", 516, lambda: inverter.charged_wh, U32, WH_PER_COUNT),
        Cell("discharged_wh", 518, lambda: inverter.discharged_wh, U32, WH_PER_COUNT),
        Cell("battery_celsius", 586, lambda: battery.temperature_celsius + CELSIUS_OFFSET, gain=0.1),
        Cell("battery_volts", 587, lambda: at_volts, gain=volts),
        Cell("soc_percent", 588, of.soc_percent),
        Cell("battery_watts", 590, of.discharge_watts, I16, watts),
        Cell("battery_amps", 591, of.discharge_amps, I16, 0.01),
    ]


def _state(inverter: SimulatedInverter) -> int:
    waits = inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY)
    return STANDBY if waits else NORMAL
