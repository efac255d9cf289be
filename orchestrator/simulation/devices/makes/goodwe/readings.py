"""What a GoodWe ET shows in the registers that cannot be written."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.plain.map import Cell
from orchestrator.simulation.devices.plain.words import I16, I32, U32, text
from orchestrator.simulation.devices.sunspec.values import (
    BATTERY_VOLTS,
    FREQUENCY_HZ,
    PHASE_VOLTS,
    STRING_SHARES,
    STRING_VOLTS,
)
from orchestrator.simulation.plant.inverter import ASLEEP_BELOW_WATTS, SimulatedInverter

NO_BATTERY, BATTERY_STANDBY, BATTERY_DISCHARGES, BATTERY_CHARGES = 0, 1, 2, 3
WAITING, ON_GRID = 0, 1
STRING_IS_MISSING = 0xFFFFFFFF
INPUTS = 4


def readings(inverter: SimulatedInverter) -> list[Cell]:
    """The registers of `inverter` that cannot be written; those of a battery only where it has one."""
    battery = inverter.settings.battery
    measured = [*_nameplate(inverter), *_strings(inverter), *_measured(inverter)]
    return measured if battery is None else [*measured, *_battery(inverter, battery)]


def _nameplate(inverter: SimulatedInverter) -> list[Cell]:
    rating_watts = inverter.settings.ac_rating_watts
    return [
        Cell("rated_watts", 35001, lambda: rating_watts),
        Cell("serial", 35003, lambda: f"SIM-{inverter.name}", text(8)),
        Cell("model", 35011, lambda: f"GW{rating_watts / 1000:g}K-ET", text(5)),
    ]


def _strings(inverter: SimulatedInverter) -> list[Cell]:
    """Four inputs; as many are used as the PV has strings."""
    cells = []
    for index in range(INPUTS):
        share = STRING_SHARES[index] if index < len(STRING_SHARES) else None
        at = 35103 + 4 * index
        cells += [
            Cell(f"string_{index}_volts", at, _of_string(share, lambda _share: STRING_VOLTS), gain=0.1),
            Cell(f"string_{index}_amps", at + 1, _of_string(share, _amps(inverter)), gain=0.1),
            Cell(f"string_{index}_watts", at + 2, _string_watts(inverter, share), U32),
        ]
    return cells


def _amps(inverter: SimulatedInverter) -> Callable[[float], float]:
    return lambda share: share * inverter.state.pv_watts / STRING_VOLTS


def _of_string(share: float | None, value: Callable[[float], float]) -> Callable[[], float]:
    return lambda: 0.0 if share is None else value(share)


def _string_watts(inverter: SimulatedInverter, share: float | None) -> Callable[[], float]:
    return lambda: STRING_IS_MISSING if share is None else share * inverter.state.pv_watts


def _measured(inverter: SimulatedInverter) -> list[Cell]:
    cells = [
        Cell("frequency_hz", 35123, lambda: FREQUENCY_HZ, gain=0.01),
        Cell("grid_mode", 35136, lambda: ON_GRID),
        Cell("ac_watts", 35137, lambda: inverter.state.ac_watts, I32),
        Cell("battery_mode", 35184, lambda: _battery_mode(inverter)),
        Cell("work_mode", 35187, lambda: _work_mode(inverter)),
    ]
    return [*cells, *(Cell(f"phase_{i}_volts", 35121 + 5 * i, lambda: PHASE_VOLTS, gain=0.1) for i in range(3))]


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    return [
        Cell("battery_volts", 35180, lambda: BATTERY_VOLTS, gain=0.1),
        Cell("battery_amps", 35181, lambda: -inverter.state.battery_watts / BATTERY_VOLTS, I16, gain=0.1),
        Cell("battery_watts", 35182, lambda: -inverter.state.battery_watts, I32),
        Cell("battery_celsius", 37003, lambda: battery.temperature_celsius, I16, gain=0.1),
        Cell("charge_max_amps", 37004, lambda: battery.charge_watts / BATTERY_VOLTS),
        Cell("discharge_max_amps", 37005, lambda: battery.discharge_watts / BATTERY_VOLTS),
        Cell("soc_percent", 37007, lambda: inverter.soc_percent or 0.0),
        Cell("health_percent", 37008, lambda: 100),
        Cell("capacity_ah", 45350, lambda: battery.capacity_wh / BATTERY_VOLTS),
    ]


def _battery_mode(inverter: SimulatedInverter) -> int:
    if inverter.settings.battery is None:
        return NO_BATTERY
    if abs(inverter.state.battery_watts) <= ASLEEP_BELOW_WATTS:
        return BATTERY_STANDBY
    return BATTERY_CHARGES if inverter.state.battery_watts > 0 else BATTERY_DISCHARGES


def _work_mode(inverter: SimulatedInverter) -> int:
    waits = inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY)
    return WAITING if waits else ON_GRID
