"""What a KOSTAL PLENTICORE shows in its own registers. Battery power is discharging +."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.plain.map import Cell
from orchestrator.simulation.devices.plain.words import F32, I16, text
from orchestrator.simulation.devices.sunspec.values import (
    BATTERY_VOLTS,
    FREQUENCY_HZ,
    PHASE_VOLTS,
    STRING_SHARES,
    STRING_VOLTS,
)
from orchestrator.simulation.plant.inverter import SimulatedInverter

LOW_WORD_FIRST, NO_BATTERY, BYD = 0, 0, 4
FEEDING_IN, THROTTLED, STANDBY = 6, 7, 10
BATTERY_CELSIUS = 24.5
BLOCKS = ((152, 217), (252, 287), (1024, 1083))
"""Stretches with reserved registers in them, which can be read in one request."""


def readings(inverter: SimulatedInverter) -> list[Cell]:
    """What every inverter shows. AC power is positive into the site."""
    battery_type = BYD if inverter.settings.battery else NO_BATTERY
    return [
        Cell("unit_id", 4, lambda: 71),
        Cell("byte_order", 5, lambda: LOW_WORD_FIRST),
        Cell("article", 6, lambda: "10335962", text(8)),
        Cell("serial", 14, lambda: f"SIM-{inverter.name}", text(8)),
        Cell("state", 56, lambda: _state(inverter)),
        Cell("dc_power", 100, lambda: inverter.state.pv_watts - inverter.state.battery_watts, F32),
        Cell("frequency", 152, lambda: FREQUENCY_HZ, F32),
        *(_phase(inverter, index) for index in range(3)),
        *(Cell(f"volts_{index}", 158 + 6 * index, lambda: PHASE_VOLTS, F32) for index in range(3)),
        Cell("ac_power", 172, lambda: inverter.state.ac_watts, F32),
        Cell("meter_power", 252, lambda: 0.0, F32),
        *_inputs(inverter),
        Cell("total_yield", 320, lambda: inverter.generated_wh, F32),
        Cell("rating", 531, lambda: inverter.settings.ac_rating_watts),
        Cell("generated_power", 575, lambda: inverter.state.ac_watts, I16),
        Cell("battery_type", 588, lambda: battery_type),
    ]


def battery_readings(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    """What an inverter with a battery shows besides."""
    return [
        Cell("battery_amps", 200, lambda: -inverter.state.battery_watts / BATTERY_VOLTS, F32),
        Cell("battery_ready", 208, lambda: 1.0, F32),
        Cell("charge", 210, lambda: inverter.soc_percent or 0.0, F32),
        Cell("battery_celsius", 214, lambda: BATTERY_CELSIUS, F32),
        Cell("battery_volts", 216, lambda: BATTERY_VOLTS, F32),
        Cell("whole_charge", 514, lambda: inverter.soc_percent or 0.0),
        Cell("battery_power", 582, lambda: -inverter.state.battery_watts, I16),
        Cell("charged_energy", 1046, lambda: inverter.charged_wh, F32),
        Cell("discharged_energy", 1048, lambda: inverter.discharged_wh, F32),
        Cell("pv_energy", 1056, lambda: inverter.pv_wh, F32),
        Cell("capacity", 1068, lambda: battery.capacity_wh, F32),
        Cell("charge_rating", 1076, lambda: battery.charge_watts, F32),
        Cell("discharge_rating", 1078, lambda: battery.discharge_watts, F32),
    ]


def _phase(inverter: SimulatedInverter, index: int) -> Cell:
    return Cell(f"phase_{index}", 156 + 6 * index, lambda: inverter.state.ac_watts / 3, F32)


def _inputs(inverter: SimulatedInverter) -> list[Cell]:
    """Current, power and voltage of the DC inputs; the third is the battery's, and shows nothing here."""

    def power(share: float) -> Callable[[], float]:
        return lambda: inverter.state.pv_watts * share

    cells = []
    for index, share in enumerate((*STRING_SHARES, 0.0)):
        address = 258 + 10 * index
        cells += [
            Cell(f"dc_power_{index}", address + 2, power(share), F32),
            Cell(f"dc_volts_{index}", address + 8, lambda: STRING_VOLTS, F32),
        ]
    return cells


def _state(inverter: SimulatedInverter) -> int:
    states = {OperatingState.THROTTLED: THROTTLED, OperatingState.MPPT: FEEDING_IN}
    return states.get(inverter.operating_state, STANDBY)
