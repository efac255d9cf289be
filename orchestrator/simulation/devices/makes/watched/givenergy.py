"""A GivEnergy hybrid of the third generation: readings in input registers, settings in holding registers.

From dewet22/givenergy-modbus (model/inverter, model/register) and issue 415 of britkat1980/giv_tcp. The rules:
- Its own network port 8899 speaks a framing of GivEnergy's, which no Modbus client knows: what is here is what a
  gateway at its serial port gives, at unit 0x11.
- Holding register 0 is the type of device in hexadecimal digits: 2001 with 5 kW, 2002 with 4.6 kW, 2003 with 3.6 kW;
  the hundreds of 21 (firmware) say which generation: 3 is the third. The serial number lies in 13 to 17.
- Input 24 is what it gives to AC, + out; 30 is the clamp at the house's connection and 42 the load, which are not
  here: 0. 52 is the power of the battery, discharging +. 18 and 20 are the two strings. All in W, on one phase.
- High word first; energies in 0.1 kWh. Registers that nobody names are read as 0 in blocks of 60.
- Its settings (holding 20, 27, 59, 96, 110 to 116 and more) are flash memory: nobody writes them all day.
Doubtful: whether the serial port and the network know the same registers; that more than 60 registers in one request
are refused (here they are read); where the total energies of the battery are (180, 181) with other generations.
"""

from __future__ import annotations

from typing import Final

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.makes.watched.device import WatchedDevice
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import Cell, input_cell
from orchestrator.simulation.devices.plain.measured import Measured
from orchestrator.simulation.devices.plain.words import I16, U32, text
from orchestrator.simulation.devices.sunspec.values import FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.plant.inverter import SimulatedInverter

UNIT: Final = 0x11
TYPES: Final = {5000: 0x2001, 4600: 0x2002, 3600: 0x2003}
STRINGS_AND_PHASES = 0x0201
FIRMWARE = 312
BATTERY_VOLTS = 51.2
WAITING, NORMAL = 0, 1
IDLE, CHARGING, DISCHARGING = 0, 2, 5
IDLE_WATTS = 10.0
WH_PER_COUNT = 100.0
HOLDING_BLOCK, INPUT_BLOCK = (0, 179), (0, 239)


class GivEnergyHybrid(WatchedDevice):
    """All of it on one phase."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        cells = [*_identity(inverter), *_readings(inverter)]
        if inverter.settings.battery is not None:
            cells += _battery(inverter, inverter.settings.battery)
        super().__init__(inverter, reserve(reserve(cells, HOLDING_BLOCK), INPUT_BLOCK, inputs=True))


def _identity(inverter: SimulatedInverter) -> list[Cell]:
    serial = Measured(inverter).serial("FD2", 7)
    rating = min(TYPES, key=lambda watts: abs(watts - inverter.settings.ac_rating_watts))
    return [
        Cell("type_of_device", 0, lambda: TYPES[rating]),
        Cell("strings_and_phases", 3, lambda: STRINGS_AND_PHASES),
        Cell("serial", 13, lambda: serial, text(5)),
        Cell("dsp_firmware", 19, lambda: FIRMWARE),
        Cell("arm_firmware", 21, lambda: FIRMWARE),
        Cell("self_consumption", 27, lambda: 1),
        Cell("unit", 30, lambda: UNIT),
        Cell("protocol", 34, lambda: 1.4, gain=0.01),
        Cell("most_ac_percent", 50, lambda: 100),
        Cell("starts_and_runs", 53, lambda: 0x0101),
        Cell("type_of_battery", 54, lambda: 1),
    ]


def _readings(inverter: SimulatedInverter) -> list[Cell]:
    of = Measured(inverter)
    return [
        input_cell("state", 0, lambda: _state(inverter)),
        input_cell("string_0_volts", 1, of.string_volts(0), gain=0.1),
        input_cell("string_1_volts", 2, of.string_volts(1), gain=0.1),
        input_cell("ac_volts", 5, lambda: PHASE_VOLTS, gain=0.1),
        input_cell("string_0_amps", 8, of.string_amps(0), gain=0.1),
        input_cell("string_1_amps", 9, of.string_amps(1), gain=0.1),
        input_cell("ac_amps", 10, lambda: abs(of.ac_watts()) / PHASE_VOLTS, gain=0.1),
        input_cell("pv_wh", 11, lambda: inverter.pv_wh, U32, gain=WH_PER_COUNT),
        input_cell("ac_hz", 13, lambda: FREQUENCY_HZ, gain=0.01),
        input_cell("string_0_watts", 18, of.string_watts(0)),
        input_cell("string_1_watts", 20, of.string_watts(1)),
        input_cell("ac_watts", 24, of.ac_watts, I16),
        input_cell("celsius", 41, lambda: 38.5, I16, gain=0.1),
        input_cell("ac_voltamps", 43, lambda: abs(of.ac_watts())),
        input_cell("pv_generated_wh", 45, lambda: inverter.pv_wh, U32, gain=WH_PER_COUNT),
        input_cell("port_amps", 58, lambda: abs(of.ac_watts()) / PHASE_VOLTS, gain=0.01),
    ]


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    of = Measured(inverter, BATTERY_VOLTS)
    return [
        Cell("capacity_ah", 55, lambda: battery.capacity_wh / BATTERY_VOLTS),
        Cell("reserve_percent", 110, lambda: battery.reserve_percent),
        Cell("charge_limit", 111, lambda: 50),
        Cell("discharge_limit", 112, lambda: 50),
        Cell("charge_ends_percent", 116, lambda: 100),
        input_cell("throughput_wh", 6, lambda: inverter.charged_wh + inverter.discharged_wh, U32, gain=WH_PER_COUNT),
        input_cell("battery_state", 14, lambda: _battery_state(of.battery_watts())),
        input_cell("battery_volts", 50, lambda: BATTERY_VOLTS, gain=0.01),
        input_cell("battery_amps", 51, of.discharge_amps, I16, gain=0.01),
        input_cell("battery_watts", 52, of.discharge_watts, I16),
        input_cell("battery_celsius", 56, lambda: battery.temperature_celsius, I16, gain=0.1),
        input_cell("soc_percent", 59, of.soc_percent),
        input_cell("discharged_wh", 180, lambda: inverter.discharged_wh, gain=WH_PER_COUNT),
        input_cell("charged_wh", 181, lambda: inverter.charged_wh, gain=WH_PER_COUNT),
    ]


def _battery_state(watts: float) -> int:
    if abs(watts) < IDLE_WATTS:
        return IDLE
    return CHARGING if watts > 0 else DISCHARGING


def _state(inverter: SimulatedInverter) -> int:
    waits = inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY)
    return WAITING if waits else NORMAL
