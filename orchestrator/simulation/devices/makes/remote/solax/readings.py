"""What a SolaX X3-Hybrid G4 shows: who it is in holding registers, what it measures in input registers."""

from __future__ import annotations

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.plain.map import Cell, input_cell
from orchestrator.simulation.devices.plain.measured import Measured
from orchestrator.simulation.devices.plain.words import I16, I32, U32, text
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS, FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.plant.inverter import ASLEEP_BELOW_WATTS, SimulatedInverter

WAITING, NORMAL, STANDBY = 0, 2, 10
DISCHARGES, CHARGES, STOPPED = 0, 1, 2
PHASES = 3
WH_PER_COUNT = 100.0
"""Energy counters have one decimal of a kWh."""


def nameplate(inverter: SimulatedInverter) -> list[Cell]:
    """The holding registers that say who it is."""
    rating_watts = inverter.settings.ac_rating_watts
    serial = Measured(inverter).serial(f"H34B{rating_watts / 1000:02.0f}", 8)
    return [
        Cell("serial", 0x0000, lambda: serial, text(7)),
        Cell("factory", 0x0007, lambda: "solax", text(7)),
        Cell("module", 0x000E, lambda: "X3-Hybrid-G4", text(7)),
        Cell("firmware_dsp", 0x007F, lambda: 148),
        Cell("firmware_arm", 0x0080, lambda: 145),
        Cell("rated_watts", 0x00BA, lambda: rating_watts),
    ]


def readings(inverter: SimulatedInverter) -> list[Cell]:
    """The input registers of `inverter`; those of a battery only where it has one."""
    battery, of = inverter.settings.battery, Measured(inverter)
    cells = [
        input_cell("run_mode", 0x0009, lambda: _run_mode(inverter)),
        input_cell("pv_watts", 0x0032, of.pv_watts, U32),
        input_cell("ac_watts", 0x0034, of.ac_watts, I32),
    ]
    for index in range(2):
        cells += [
            input_cell(f"string_{index}_volts", 0x0003 + index, of.string_volts(index), gain=0.1),
            input_cell(f"string_{index}_amps", 0x0005 + index, of.string_amps(index), gain=0.1),
            input_cell(f"string_{index}_watts", 0x000A + index, of.string_watts(index)),
        ]
    for phase in range(PHASES):
        cells += [
            input_cell(f"phase_{phase}_volts", 0x006A + 4 * phase, lambda: PHASE_VOLTS, gain=0.1),
            input_cell(f"phase_{phase}_amps", 0x006B + 4 * phase, of.phase_amps, I16, gain=0.1),
            input_cell(f"phase_{phase}_watts", 0x006C + 4 * phase, of.phase_watts, I16),
            input_cell(f"phase_{phase}_hz", 0x006D + 4 * phase, lambda: FREQUENCY_HZ, gain=0.01),
        ]
    return cells if battery is None else [*cells, *_battery(inverter, battery)]


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    of = Measured(inverter)
    return [
        input_cell("battery_volts", 0x0014, lambda: BATTERY_VOLTS, I16, gain=0.1),
        input_cell("battery_amps", 0x0015, of.battery_amps, I16, gain=0.1),
        input_cell("battery_watts", 0x0016, of.battery_watts, I16),
        input_cell("bms_connected", 0x0017, lambda: 1),
        input_cell("battery_celsius", 0x0018, lambda: battery.temperature_celsius, I16),
        input_cell("battery_status", 0x0019, lambda: _battery_status(inverter)),
        input_cell("soc_percent", 0x001C, of.soc_percent),
        input_cell("discharged_wh", 0x001D, lambda: inverter.discharged_wh, U32, gain=WH_PER_COUNT),
        input_cell("charged_wh", 0x0021, lambda: inverter.charged_wh, U32, gain=WH_PER_COUNT),
        input_cell("bms_charge_max_amps", 0x0024, lambda: battery.charge_watts / BATTERY_VOLTS, gain=0.1),
        input_cell("bms_discharge_max_amps", 0x0025, lambda: battery.discharge_watts / BATTERY_VOLTS, gain=0.1),
        input_cell("capacity_wh", 0x0026, lambda: battery.capacity_wh, U32),
        input_cell("charge_max_watts", 0x00A2, lambda: battery.charge_watts, U32),
        input_cell("discharge_max_watts", 0x00A4, lambda: battery.discharge_watts, U32),
        input_cell("health_percent", 0x00BF, lambda: 100),
    ]


def _run_mode(inverter: SimulatedInverter) -> int:
    return {OperatingState.SLEEPING: WAITING, OperatingState.STANDBY: STANDBY}.get(inverter.operating_state, NORMAL)


def _battery_status(inverter: SimulatedInverter) -> int:
    if abs(inverter.state.battery_watts) <= ASLEEP_BELOW_WATTS:
        return STOPPED
    return CHARGES if inverter.state.battery_watts > 0 else DISCHARGES
