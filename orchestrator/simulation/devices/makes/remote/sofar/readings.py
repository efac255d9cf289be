"""What a Sofar HYD shows in the registers that cannot be written: powers in 10 W, PV in all in 100 W."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.plain.map import Cell
from orchestrator.simulation.devices.plain.measured import Measured
from orchestrator.simulation.devices.plain.words import I16, U32, text
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS, FREQUENCY_HZ, PHASE_VOLTS, PHASES
from orchestrator.simulation.plant.inverter import SimulatedInverter

WAITING, ON_GRID = 0, 2
PHASE_GAP = 11
WH_PER_COUNT = 100.0


def readings(inverter: SimulatedInverter, load_watts: Callable[[], float]) -> list[Cell]:
    """The registers of `inverter`; those of a battery only where it has one. `load_watts` is what its meter sees."""
    battery, of = inverter.settings.battery, Measured(inverter)
    serial = of.serial("SP1ES", 9)
    cells = [
        Cell("state", 0x0404, lambda: _state(inverter)),
        Cell("serial", 0x0445, lambda: serial, text(7)),
        Cell("hardware", 0x044D, lambda: "V001", text(2)),
        Cell("software", 0x044F, lambda: "V100001", text(4)),
        Cell("frequency_hz", 0x0484, lambda: FREQUENCY_HZ, gain=0.01),
        Cell("ac_watts", 0x0485, of.ac_watts, I16, gain=10),
        Cell("exporting_watts", 0x0488, lambda: of.ac_watts() - load_watts(), I16, gain=10),
        Cell("load_watts", 0x04AF, load_watts, I16, gain=10),
        Cell("pv_watts", 0x05C4, of.pv_watts, gain=100),
        Cell("generated_wh", 0x0686, lambda: inverter.pv_wh, U32, gain=WH_PER_COUNT),
        Cell("rated_watts", 0x06ED, lambda: inverter.settings.ac_rating_watts, gain=100),
    ]
    for phase in range(PHASES):
        at = 0x048D + PHASE_GAP * phase
        cells += [
            Cell(f"phase_{phase}_volts", at, lambda: PHASE_VOLTS, gain=0.1),
            Cell(f"phase_{phase}_amps", at + 1, of.phase_amps, I16, gain=0.01),
            Cell(f"phase_{phase}_watts", at + 2, of.phase_watts, I16, gain=10),
        ]
    for index in range(2):
        cells += [
            Cell(f"string_{index}_volts", 0x0584 + 3 * index, of.string_volts(index), gain=0.1),
            Cell(f"string_{index}_amps", 0x0585 + 3 * index, of.string_amps(index), gain=0.01),
            Cell(f"string_{index}_watts", 0x0586 + 3 * index, of.string_watts(index), gain=10),
        ]
    return cells if battery is None else [*cells, *_battery(inverter, battery)]


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    of = Measured(inverter)
    return [
        Cell("battery_volts", 0x0604, lambda: BATTERY_VOLTS, gain=0.1),
        Cell("battery_amps", 0x0605, of.battery_amps, I16, gain=0.01),
        Cell("battery_watts", 0x0606, of.battery_watts, I16, gain=10),
        Cell("battery_celsius", 0x0607, lambda: battery.temperature_celsius, I16),
        Cell("battery_soc_percent", 0x0608, of.soc_percent),
        Cell("battery_health_percent", 0x0609, lambda: 100),
        Cell("batteries_watts", 0x0667, of.battery_watts, I16, gain=100),
        Cell("soc_percent", 0x0668, of.soc_percent),
        Cell("health_percent", 0x0669, lambda: 100),
        Cell("charged_wh", 0x0696, lambda: inverter.charged_wh, U32, gain=WH_PER_COUNT),
        Cell("discharged_wh", 0x069A, lambda: inverter.discharged_wh, U32, gain=WH_PER_COUNT),
        Cell("charge_max_amps", 0x104B, lambda: battery.charge_watts / BATTERY_VOLTS, gain=0.01),
        Cell("discharge_max_amps", 0x104C, lambda: battery.discharge_watts / BATTERY_VOLTS, gain=0.01),
        Cell("discharge_depth_percent", 0x104D, lambda: 100 - battery.reserve_percent),
        Cell("capacity_ah", 0x104F, lambda: battery.capacity_wh / BATTERY_VOLTS),
        Cell("rated_battery_volts", 0x1050, lambda: BATTERY_VOLTS, gain=0.1),
    ]


def _state(inverter: SimulatedInverter) -> int:
    waits = inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY)
    return WAITING if waits else ON_GRID
