"""What a Sungrow SH shows in its input registers. Addresses are those on the wire, one below the document's."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.plain.map import Cell
from orchestrator.simulation.devices.plain.words import I16, I32, U16, U32, Plain, text
from orchestrator.simulation.devices.sunspec.values import (
    BATTERY_VOLTS,
    FREQUENCY_HZ,
    PHASE_VOLTS,
    STRING_SHARES,
    STRING_VOLTS,
)
from orchestrator.simulation.plant.inverter import ASLEEP_BELOW_WATTS, SimulatedInverter

FORCED, EXTERNAL_EMS = 2, 3
SH10RT = 0x0E03
STANDBY, RUNNING, RUNNING_FORCED, RUNNING_EXTERNAL = 0x0008, 0x0040, 0x0800, 0x4000
PV_PRODUCES, BATTERY_CHARGES, BATTERY_DISCHARGES = 1, 2, 4
NO_METER = 0x7FFFFFFF


class Firmware(Enum):
    """How battery power is shown: at 5213 and, without a sign, at 13021; there alone; there with a sign of its own."""

    FULL = 0
    OLD = 1
    SIGNED = 2
    """Since the end of 2024; 13000 does not say a direction any more."""


def rated_battery_watts(battery: BatterySimulation) -> float:
    """The rating of the battery's converter in W, in either direction; the register has whole 100 W."""
    return 100.0 * round(max(battery.charge_watts, battery.discharge_watts) / 100)


def readings(inverter: SimulatedInverter, mode: Callable[[], int], firmware: Firmware = Firmware.FULL) -> list[Cell]:
    """The input registers of `inverter`; `mode` is its EMS mode (13049)."""
    battery = inverter.settings.battery
    measured = [*_nameplate(inverter), *_measured(inverter), _input("running_state", 12999, _state(inverter, mode))]
    measured.append(_input("power_flow", 13000, lambda: 0 if firmware is Firmware.SIGNED else _flow(inverter)))
    if battery is None:
        return measured
    return [*measured, *_battery_power(inverter, firmware), *_battery(inverter, battery)]


def _battery_power(inverter: SimulatedInverter, firmware: Firmware) -> list[Cell]:
    """+ is discharging."""
    if firmware is Firmware.SIGNED:
        return [_input("battery_size_watts", 13021, lambda: -inverter.state.battery_watts, I16)]
    size = _input("battery_size_watts", 13021, lambda: abs(inverter.state.battery_watts))
    signed = _input("battery_watts", 5213, lambda: -inverter.state.battery_watts, I32)
    return [size] if firmware is Firmware.OLD else [size, signed]


def _nameplate(inverter: SimulatedInverter) -> list[Cell]:
    return [
        _input("serial", 4989, lambda: f"SIM-{inverter.name}", text(10)),
        _input("type_code", 4999, lambda: SH10RT),
        _input("rated_watts", 5000, lambda: inverter.settings.ac_rating_watts, gain=100),
    ]


def _measured(inverter: SimulatedInverter) -> list[Cell]:
    cells = [
        _input("pv_watts", 5016, lambda: inverter.state.pv_watts, U32),
        _input("frequency_hz", 5241, lambda: FREQUENCY_HZ, gain=0.01),
        _input("meter_watts", 5600, lambda: NO_METER, I32),
        _input("export_watts", 13009, lambda: NO_METER, I32),
        _input("ac_watts", 13033, lambda: inverter.state.ac_watts, I32),
    ]
    for index in range(3):
        cells.append(_input(f"phase_{index}_volts", 5018 + index, lambda: PHASE_VOLTS, gain=0.1))
    return [*cells, *_strings(inverter)]


def _strings(inverter: SimulatedInverter) -> list[Cell]:
    """Voltage and current of two strings; the third is not there."""
    cells = [_input("string_2_volts", 5014, lambda: 0xFFFF), _input("string_2_amps", 5015, lambda: 0xFFFF)]
    for index, share in enumerate(STRING_SHARES):
        cells += [
            _input(f"string_{index}_volts", 5010 + 2 * index, lambda: STRING_VOLTS, gain=0.1),
            _input(f"string_{index}_amps", 5011 + 2 * index, _string_amps(inverter, share), gain=0.1),
        ]
    return cells


def _string_amps(inverter: SimulatedInverter, share: float) -> Callable[[], float]:
    return lambda: share * inverter.state.pv_watts / STRING_VOLTS


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    return [
        _input("battery_rated_watts", 5627, lambda: rated_battery_watts(battery), gain=100),
        _input("charge_max_amps", 5634, lambda: battery.charge_watts / BATTERY_VOLTS),
        _input("discharge_max_amps", 5635, lambda: battery.discharge_watts / BATTERY_VOLTS),
        _input("capacity_wh", 5638, lambda: battery.capacity_wh, gain=10),
        _input("battery_volts", 13019, lambda: BATTERY_VOLTS, gain=0.1),
        _input("soc_percent", 13022, lambda: inverter.soc_percent or 0.0, gain=0.1),
        _input("health_percent", 13023, lambda: 100, gain=0.1),
        _input("battery_celsius", 13024, lambda: battery.temperature_celsius, I16, gain=0.1),
    ]


def _flow(inverter: SimulatedInverter) -> int:
    state = inverter.state
    produces = PV_PRODUCES if state.pv_watts > 0 else 0
    if state.battery_watts > ASLEEP_BELOW_WATTS:
        return produces | BATTERY_CHARGES
    return produces | (BATTERY_DISCHARGES if state.battery_watts < -ASLEEP_BELOW_WATTS else 0)


def _state(inverter: SimulatedInverter, mode: Callable[[], int]) -> Callable[[], int]:
    def state() -> int:
        if inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY):
            return STANDBY
        return {FORCED: RUNNING_FORCED, EXTERNAL_EMS: RUNNING_EXTERNAL}.get(mode(), RUNNING)

    return state


def _input(name: str, address: int, value: Callable[[], float | str], kind: Plain = U16, *, gain: float = 1.0) -> Cell:
    return Cell(name, address, value, kind, gain, inputs=True)
