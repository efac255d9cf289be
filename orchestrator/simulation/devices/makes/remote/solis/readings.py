"""What a Solis S6 hybrid shows in its input registers. The power of its battery has no sign: 33135 says which way."""

from __future__ import annotations

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.plain.map import Cell, input_cell
from orchestrator.simulation.devices.plain.measured import Measured
from orchestrator.simulation.devices.plain.words import I16, I32, U32, text
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS, FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.plant.inverter import SimulatedInverter

MODEL, TYPE_OF_DEVICE = 0x3105, 2070
WAITING, GENERATING = 0, 3
CHARGES, DISCHARGES = 0, 1
WH_PER_COUNT = 1000.0


def readings(inverter: SimulatedInverter) -> list[Cell]:
    """The input registers of `inverter`; those of a battery only where it has one."""
    battery, of = inverter.settings.battery, Measured(inverter)
    serial = of.serial("1103", 11)
    cells = [
        input_cell("model", 33000, lambda: MODEL),
        input_cell("dsp_version", 33001, lambda: 0x32),
        input_cell("hmi_version", 33002, lambda: 0x3C),
        input_cell("protocol_version", 33003, lambda: 1),
        input_cell("serial", 33004, lambda: serial, text(16)),
        input_cell("generated_wh", 33029, lambda: inverter.pv_wh, U32, gain=WH_PER_COUNT),
        input_cell("pv_watts", 33057, of.pv_watts, U32),
        input_cell("active_watts", 33079, of.ac_watts, I32),
        input_cell("frequency_hz", 33094, lambda: FREQUENCY_HZ, gain=0.01),
        input_cell("state", 33095, lambda: _state(inverter)),
        input_cell("actual_limit_percent", 33104, lambda: 100, gain=0.01),
        input_cell("ac_port_watts", 33151, of.ac_watts, I32),
        input_cell("type_of_device", 35000, lambda: TYPE_OF_DEVICE),
    ]
    for index in range(4):
        cells += [
            input_cell(f"string_{index}_volts", 33049 + 2 * index, of.string_volts(index), gain=0.1),
            input_cell(f"string_{index}_amps", 33050 + 2 * index, of.string_amps(index), gain=0.1),
        ]
    for phase in range(3):
        cells.append(input_cell(f"phase_{phase}_volts", 33073 + phase, lambda: PHASE_VOLTS, gain=0.1))
        cells.append(input_cell(f"phase_{phase}_amps", 33076 + phase, of.phase_amps, I16, gain=0.1))
    return cells if battery is None else [*cells, *_battery(inverter, battery)]


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    of = Measured(inverter)
    return [
        input_cell("battery_volts", 33133, lambda: BATTERY_VOLTS, gain=0.1),
        input_cell("battery_amps", 33134, lambda: abs(of.battery_amps()), I16, gain=0.1),
        input_cell("battery_direction", 33135, lambda: DISCHARGES if of.battery_watts() < 0 else CHARGES),
        input_cell("soc_percent", 33139, of.soc_percent),
        input_cell("health_percent", 33140, lambda: 100),
        input_cell("bms_volts", 33141, lambda: BATTERY_VOLTS, gain=0.01),
        input_cell("charge_max_amps", 33143, lambda: battery.charge_watts / BATTERY_VOLTS, gain=0.1),
        input_cell("discharge_max_amps", 33144, lambda: battery.discharge_watts / BATTERY_VOLTS, gain=0.1),
        input_cell("battery_watts", 33149, lambda: abs(of.battery_watts()), U32),
        input_cell("charged_wh", 33161, lambda: inverter.charged_wh, U32, gain=WH_PER_COUNT),
        input_cell("discharged_wh", 33165, lambda: inverter.discharged_wh, U32, gain=WH_PER_COUNT),
    ]


def _state(inverter: SimulatedInverter) -> int:
    waits = inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY)
    return WAITING if waits else GENERATING
