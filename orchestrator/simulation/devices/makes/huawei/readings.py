"""What a Huawei SUN2000 with a LUNA2000 shows in the registers that cannot be written."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.plain.map import Cell
from orchestrator.simulation.devices.plain.words import I16, I32, U32, text
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS, FREQUENCY_HZ, STRING_SHARES, STRING_VOLTS
from orchestrator.simulation.plant.inverter import ASLEEP_BELOW_WATTS, SimulatedInverter

ON_GRID, POWER_LIMITED, NO_IRRADIATION, SHUT_DOWN_BY_COMMAND = 0x0200, 0x0201, 0xA000, 0x0301
STORAGE_STANDBY, STORAGE_RUNNING = 1, 2
METER_OFFLINE, NO_COUNTER = 0, 0x7FFFFFFF
WH_PER_COUNT = 10.0
"""Energy counters have two decimals of a kWh."""


def readings(inverter: SimulatedInverter) -> list[Cell]:
    """The registers of `inverter` that cannot be written; those of a battery only where it has one."""
    battery = inverter.settings.battery
    measured = [*_nameplate(inverter), *_strings(inverter), *_measured(inverter), *_no_meter()]
    return measured if battery is None else [*measured, *_unit(inverter, battery), *_storage(inverter, battery)]


def _nameplate(inverter: SimulatedInverter) -> list[Cell]:
    rating_watts = inverter.settings.ac_rating_watts
    return [
        Cell("model", 30000, lambda: f"SUN2000-{rating_watts / 1000:g}KTL-M1", text(15)),
        Cell("serial", 30015, lambda: f"SIM-{inverter.name}", text(10)),
        Cell("strings", 30071, lambda: len(STRING_SHARES)),
        Cell("rated_watts", 30073, lambda: rating_watts, U32),
        Cell("most_watts", 30075, lambda: rating_watts, U32),
    ]


def _strings(inverter: SimulatedInverter) -> list[Cell]:
    cells = []
    for index, share in enumerate(STRING_SHARES):
        cells += [
            Cell(f"string_{index}_volts", 32016 + 2 * index, lambda: STRING_VOLTS, I16, gain=0.1),
            Cell(f"string_{index}_amps", 32017 + 2 * index, _string_amps(inverter, share), I16, gain=0.01),
        ]
    return cells


def _string_amps(inverter: SimulatedInverter, share: float) -> Callable[[], float]:
    return lambda: share * inverter.state.pv_watts / STRING_VOLTS


def _measured(inverter: SimulatedInverter) -> list[Cell]:
    return [
        Cell("pv_watts", 32064, lambda: inverter.state.pv_watts, I32),
        Cell("ac_watts", 32080, lambda: inverter.state.ac_watts, I32),
        Cell("frequency_hz", 32085, lambda: FREQUENCY_HZ, gain=0.01),
        Cell("status", 32089, lambda: _status(inverter)),
    ]


def _no_meter() -> list[Cell]:
    """What it shows while no meter is wired to it: offline, no power, and the largest number for counters."""
    watts = [Cell(f"meter_{at}", at, lambda: 0, I32) for at in (37113, 37132, 37134, 37136)]
    counters = [Cell(f"meter_{at}", at, lambda: NO_COUNTER, I32) for at in (37119, 37121)]
    return [Cell("meter_status", 37100, lambda: METER_OFFLINE), *watts, *counters]


def _unit(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    """The first storage unit, which is all of the storage here."""
    return [
        Cell("unit_status", 37000, lambda: _storage_status(inverter)),
        Cell("unit_watts", 37001, lambda: inverter.state.battery_watts, I32),
        Cell("unit_volts", 37003, lambda: BATTERY_VOLTS, gain=0.1),
        Cell("unit_soc_percent", 37004, lambda: inverter.soc_percent or 0.0, gain=0.1),
        Cell("unit_celsius", 37022, lambda: battery.temperature_celsius, I16, gain=0.1),
        Cell("charge_possible_watts", 37046, lambda: battery.charge_watts, U32),
        Cell("discharge_possible_watts", 37048, lambda: battery.discharge_watts, U32),
    ]


def _storage(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    return [
        Cell("capacity_wh", 37758, lambda: battery.capacity_wh, U32),
        Cell("soc_percent", 37760, lambda: inverter.soc_percent or 0.0, gain=0.1),
        Cell("storage_status", 37762, lambda: _storage_status(inverter)),
        Cell("storage_volts", 37763, lambda: BATTERY_VOLTS, gain=0.1),
        Cell("storage_amps", 37764, lambda: inverter.state.battery_watts / BATTERY_VOLTS, I16, gain=0.1),
        Cell("battery_watts", 37765, lambda: inverter.state.battery_watts, I32),
        Cell("charged_wh", 37780, lambda: inverter.charged_wh, U32, gain=WH_PER_COUNT),
        Cell("discharged_wh", 37782, lambda: inverter.discharged_wh, U32, gain=WH_PER_COUNT),
    ]


def _status(inverter: SimulatedInverter) -> int:
    return {
        OperatingState.THROTTLED: POWER_LIMITED,
        OperatingState.SLEEPING: NO_IRRADIATION,
        OperatingState.STANDBY: SHUT_DOWN_BY_COMMAND,
    }.get(inverter.operating_state, ON_GRID)


def _storage_status(inverter: SimulatedInverter) -> int:
    return STORAGE_RUNNING if abs(inverter.state.battery_watts) > ASLEEP_BELOW_WATTS else STORAGE_STANDBY
