"""What a Growatt MOD-XH shows: who it is in holding registers, measurements in input registers, in 0.1 W."""

from __future__ import annotations

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.plain.map import Cell, input_cell
from orchestrator.simulation.devices.plain.measured import Measured
from orchestrator.simulation.devices.plain.words import I16, I32, U32, text
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS, FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.plant.inverter import SimulatedInverter

DTC_HYBRID, DTC_STRING = 5400, 5002
"""The types of device of a MOD-XH, and of a MOD without a battery."""

PROTOCOL = 203
LITHIUM = 1
WAITS, GENERATES, GENERATES_WITH_BATTERY = 0, 5, 6
STANDS_BY, CHARGES, DISCHARGES = 0, 2, 3
WH_PER_COUNT = 100.0
STRINGS = 4
IDLE_WATTS = 10.0


def rated_battery_watts(battery: BatterySimulation) -> float:
    """What 100 percent of a commanded power are: the rating of its DC converter, the same for both ways."""
    return max(battery.charge_watts, battery.discharge_watts)


def identity(inverter: SimulatedInverter) -> list[Cell]:
    """Holding registers: type, serial number, ratings; the serial number at the older protocol's place too."""
    rating_watts, battery = inverter.settings.ac_rating_watts, inverter.settings.battery
    serial = Measured(inverter).serial("XSK", 7)
    cells = [
        Cell("serial_of_old", 23, lambda: serial, text(5)),
        Cell("type_of_device", 30000, lambda: DTC_STRING if battery is None else DTC_HYBRID),
        Cell("serial", 30001, lambda: serial, text(15)),
        Cell("rated_watts", 30016, lambda: rating_watts, U32, 0.1),
        Cell("most_watts", 30018, lambda: rating_watts, U32, 0.1),
        Cell("most_voltamps", 30024, lambda: rating_watts, U32, 0.1),
        Cell("most_pv_watts", 30028, lambda: inverter.settings.pv_peak_watts, U32, 0.1),
        Cell("machine", 30060, lambda: "DNAA", text(2)),
        Cell("protocol", 30099, lambda: PROTOCOL),
    ]
    if battery is None:
        return cells
    return [
        *cells,
        Cell("rated_battery_watts", 30026, lambda: rated_battery_watts(battery), U32, 0.1),
        Cell("type_of_battery", 30030, lambda: LITHIUM),
    ]


def readings(inverter: SimulatedInverter) -> list[Cell]:
    """Input registers of the VPP protocol, and of the older one that others read too."""
    of = Measured(inverter)
    cells = [
        input_cell("state", 31000, lambda: _state(inverter)),
        input_cell("pv_watts", 31058, of.pv_watts, I32, gain=0.1),
        input_cell("ac_watts", 31100, of.ac_watts, I32, gain=0.1),
        input_cell("frequency_hz", 31105, lambda: FREQUENCY_HZ, gain=0.01),
        input_cell("state_of_old", 3000, lambda: _state(inverter)),
        input_cell("pv_watts_of_old", 3001, of.pv_watts, U32, gain=0.1),
        input_cell("ac_watts_of_old", 3023, of.ac_watts, I32, gain=0.1),
        input_cell("frequency_hz_of_old", 3025, lambda: FREQUENCY_HZ, gain=0.01),
        input_cell("pv_wh_of_old", 3053, lambda: inverter.pv_wh, U32, gain=WH_PER_COUNT),
    ]
    for index in range(STRINGS):
        cells.append(input_cell(f"string_{index}_volts", 31010 + 2 * index, of.string_volts(index), gain=0.1))
        cells.append(input_cell(f"string_{index}_amps", 31011 + 2 * index, of.string_amps(index), gain=0.1))
    for phase in range(3):
        cells.append(input_cell(f"phase_{phase}_volts", 31106 + phase, lambda: PHASE_VOLTS, gain=0.1))
        cells.append(input_cell(f"phase_{phase}_amps", 31109 + phase, of.phase_amps, I16, gain=0.1))
    battery = inverter.settings.battery
    return cells if battery is None else [*cells, *_battery(inverter, battery)]


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    of = Measured(inverter)
    return [
        input_cell("battery_state", 31001, lambda: _battery_state(of.battery_watts())),
        input_cell("battery_watts", 31200, of.battery_watts, I32, gain=0.1),
        input_cell("charged_wh", 31204, lambda: inverter.charged_wh, U32, gain=WH_PER_COUNT),
        input_cell("discharged_wh", 31208, lambda: inverter.discharged_wh, U32, gain=WH_PER_COUNT),
        input_cell("charge_max_watts", 31210, lambda: battery.charge_watts, U32, gain=0.1),
        input_cell("discharge_max_watts", 31212, lambda: battery.discharge_watts, U32, gain=0.1),
        input_cell("battery_volts", 31214, lambda: BATTERY_VOLTS, gain=0.1),
        input_cell("battery_amps", 31215, of.battery_amps, I32, gain=0.1),
        input_cell("soc_percent", 31217, of.soc_percent),
        input_cell("health_percent", 31218, lambda: 100),
        input_cell("capacity_ah", 31219, lambda: battery.capacity_wh / BATTERY_VOLTS, U32),
        input_cell("battery_celsius", 31223, lambda: battery.temperature_celsius, I16, gain=0.1),
        input_cell("discharged_wh_of_old", 3127, lambda: inverter.discharged_wh, U32, gain=WH_PER_COUNT),
        input_cell("charged_wh_of_old", 3131, lambda: inverter.charged_wh, U32, gain=WH_PER_COUNT),
        input_cell("soc_percent_of_old", 3171, of.soc_percent),
        input_cell("discharge_watts_of_old", 3178, lambda: max(of.discharge_watts(), 0.0), U32, gain=0.1),
        input_cell("charge_watts_of_old", 3180, lambda: max(of.battery_watts(), 0.0), U32, gain=0.1),
    ]


def _state(inverter: SimulatedInverter) -> int:
    if inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY):
        return WAITS
    return GENERATES if inverter.settings.battery is None else GENERATES_WITH_BATTERY


def _battery_state(watts: float) -> int:
    if abs(watts) < IDLE_WATTS:
        return STANDS_BY
    return CHARGES if watts > 0 else DISCHARGES
