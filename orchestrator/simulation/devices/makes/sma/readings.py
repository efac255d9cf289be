"""What an SMA hybrid shows in its own profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import ChargeState, OperatingState
from orchestrator.simulation.devices.plain.map import Cell
from orchestrator.simulation.devices.plain.words import I32, U32, U64
from orchestrator.simulation.devices.sunspec.values import (
    BATTERY_VOLTS,
    FREQUENCY_HZ,
    PHASE_VOLTS,
    STRING_SHARES,
    STRING_VOLTS,
)
from orchestrator.simulation.plant.inverter import SimulatedInverter

HYBRID_INVERTER, SMA, DEVICE_TYPE, FIRMWARE = 8009, 461, 19050, 0x03060000
OFF, OK, DERATED, IN_PARALLEL, CLOSED, OPEN = 303, 307, 2119, 235, 51, 311
STANDBY, CHARGING, DISCHARGING, CONTROLLABLE = 2291, 2292, 2293, 1129
NO_NUMBER: Final = -0x80000000
"""What an input shows that is not there, or has no light."""
METER_AT, NOTHING = (30581, 30583, 30865, 30867), 0xFFFFFFFF
"""Where the values of an energy meter are, and what is there while none is heard."""


def readings(inverter: SimulatedInverter) -> list[Cell]:
    """What every inverter shows. AC power is positive into the site."""
    rating_watts = inverter.settings.ac_rating_watts
    phases = [(f"phase_{i}", 30777 + 2 * i) for i in range(3)]
    return [
        Cell("device_class", 30051, lambda: HYBRID_INVERTER, U32),
        Cell("device_type", 30053, lambda: DEVICE_TYPE, U32),
        Cell("vendor", 30055, lambda: SMA, U32),
        Cell("serial", 30057, lambda: serial_number(inverter.name), U32),
        Cell("firmware", 30059, lambda: FIRMWARE, U32),
        Cell("health", 30201, lambda: OK, U32),
        Cell("grid_relay", 30217, lambda: CLOSED if inverter.controls.connected else OPEN, U32),
        Cell("rating", 30231, lambda: rating_watts, U32),
        Cell("set_rating", 30233, lambda: rating_watts, U32),
        Cell("total_yield", 30513, lambda: inverter.generated_wh, U64),
        *_strings(inverter),
        Cell("ac_power", 30775, lambda: inverter.state.ac_watts, I32),
        *(Cell(name, address, lambda: inverter.state.ac_watts / 3, I32) for name, address in phases),
        *(Cell(f"volts_{i}", 30783 + 2 * i, lambda: PHASE_VOLTS, U32, 0.01) for i in range(3)),
        Cell("frequency", 30803, lambda: FREQUENCY_HZ, U32, 0.01),
        Cell("cabinet", 30953, lambda: 38.5, I32, 0.1),
        Cell("running", 33003, lambda: _running(inverter), U32),
        *(Cell(f"meter_{address}", address, lambda: NOTHING, U32) for address in METER_AT),
    ]


def _strings(inverter: SimulatedInverter) -> list[Cell]:
    def power(share: float) -> Callable[[], float]:
        return lambda: inverter.state.pv_watts * share if inverter.state.pv_available_watts > 0 else NO_NUMBER

    def current(share: float) -> Callable[[], float]:
        return lambda: inverter.state.pv_watts * share / STRING_VOLTS

    cells = []
    for index, (address, share) in enumerate(zip((30769, 30957), STRING_SHARES, strict=True)):
        cells += [
            Cell(f"string_amps_{index}", address, current(share), I32, 0.001),
            Cell(f"string_volts_{index}", address + 2, lambda: STRING_VOLTS, I32, 0.01),
            Cell(f"string_power_{index}", address + 4, power(share), I32),
        ]
    missing = (("string_amps_2", 30963, 0.001), ("string_volts_2", 30965, 0.01), ("string_power_2", 30967, 1.0))
    return cells + [Cell(name, address, _nothing(gain), I32, gain) for name, address, gain in missing]


def _nothing(gain: float) -> Callable[[], float]:
    return lambda: NO_NUMBER * gain


def battery_readings(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    """Battery power has a register a direction; neither is ever negative."""
    return [
        Cell("battery_amps", 30843, lambda: inverter.state.battery_watts / BATTERY_VOLTS, I32, 0.001),
        Cell("charge", 30845, lambda: inverter.soc_percent or 0.0, U32),
        Cell("battery_health", 30847, lambda: 100, U32),
        Cell("battery_celsius", 30849, lambda: 24.5, I32, 0.1),
        Cell("battery_volts", 30851, lambda: BATTERY_VOLTS, U32, 0.01),
        Cell("battery_state", 30955, lambda: _battery_state(inverter), U32),
        Cell("controllable", 31061, lambda: CONTROLLABLE, U32),
        Cell("battery_status", 31391, lambda: OK, U32),
        Cell("charging_power", 31393, lambda: max(inverter.state.battery_watts, 0.0), U32),
        Cell("discharging_power", 31395, lambda: max(-inverter.state.battery_watts, 0.0), U32),
        Cell("charged_energy", 31397, lambda: inverter.charged_wh, U64),
        Cell("discharged_energy", 31401, lambda: inverter.discharged_wh, U64),
        Cell("capacity", 40187, lambda: battery.capacity_wh, U32),
        Cell("charge_rating", 40189, lambda: battery.charge_watts, U32),
        Cell("discharge_rating", 40191, lambda: battery.discharge_watts, U32),
    ]


def serial_number(name: str) -> int:
    """A serial number of ten digits, from the name of the inverter."""
    return 3_000_000_000 + int.from_bytes(name.encode()[-3:], "big")


def _running(inverter: SimulatedInverter) -> int:
    if not inverter.controls.connected:
        return OFF
    return DERATED if inverter.operating_state is OperatingState.THROTTLED else IN_PARALLEL


def _battery_state(inverter: SimulatedInverter) -> int:
    states = {ChargeState.CHARGING: CHARGING, ChargeState.DISCHARGING: DISCHARGING}
    state = inverter.charge_state
    return STANDBY if state is None else states.get(state, STANDBY)
