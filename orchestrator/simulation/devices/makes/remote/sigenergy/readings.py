"""What a Sigenergy plant shows: in all at the plant's unit, by inverter at the inverter's. Powers are in W."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.plain.map import Cell
from orchestrator.simulation.devices.plain.measured import Measured
from orchestrator.simulation.devices.plain.words import I16, I32, U32, U64, text
from orchestrator.simulation.devices.sunspec.values import FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.plant.inverter import SimulatedInverter

STANDBY, RUNNING = 0, 1
WH_PER_COUNT = 10.0


def plant_cells(inverter: SimulatedInverter, work_mode: Callable[[], int]) -> list[Cell]:
    """Unit 247: the plant, which is one inverter here. No meter is there."""
    settings, battery, of = inverter.settings, inverter.settings.battery, Measured(inverter)
    cells = [
        Cell("work_mode", 30003, work_mode),
        Cell("meter", 30004, lambda: 0),
        Cell("most_watts", 30010, lambda: settings.ac_rating_watts, U32),
        Cell("ac_watts", 30031, of.ac_watts, I32),
        Cell("pv_watts", 30035, of.pv_watts, I32),
        Cell("state", 30051, lambda: _state(inverter)),
        *(Cell(f"phase_{phase}_watts", 30015 + 2 * phase, of.phase_watts, I32) for phase in range(3)),
    ]
    if battery is None:
        return cells
    return [
        *cells,
        Cell("soc_percent", 30014, of.soc_percent, gain=0.1),
        Cell("battery_watts", 30037, of.battery_watts, I32),
        Cell("charge_max_watts", 30047, lambda: battery.charge_watts, U32),
        Cell("discharge_max_watts", 30049, lambda: battery.discharge_watts, U32),
    ]


def inverter_cells(inverter: SimulatedInverter) -> list[Cell]:
    """Unit 1: who it is, and what it measures."""
    rating_watts, of = inverter.settings.ac_rating_watts, Measured(inverter)
    serial = of.serial("110A", 9)
    cells = [
        Cell("model", 30500, lambda: f"SigenStor EC {rating_watts / 1000:.1f} TP", text(15)),
        Cell("serial", 30515, lambda: serial, text(10)),
        Cell("firmware", 30525, lambda: "V100R001C00SPC112", text(15)),
        Cell("rated_watts", 30540, lambda: rating_watts, U32),
        Cell("rated_voltamps", 30542, lambda: rating_watts, U32),
        Cell("most_watts", 30544, lambda: rating_watts, U32),
        Cell("state", 30578, lambda: _state(inverter)),
        Cell("ac_watts", 30587, of.ac_watts, I32),
        Cell("frequency_hz", 31002, lambda: FREQUENCY_HZ, gain=0.01),
        Cell("strings", 31025, lambda: 2),
        Cell("pv_watts", 31035, of.pv_watts, I32),
        *(Cell(f"phase_{phase}_volts", 31011 + 2 * phase, lambda: PHASE_VOLTS, U32, 0.01) for phase in range(3)),
        *(Cell(f"phase_{phase}_amps", 31017 + 2 * phase, of.phase_amps, I32, 0.01) for phase in range(3)),
    ]
    for index in range(4):
        cells.append(Cell(f"string_{index}_volts", 31027 + 2 * index, of.string_volts(index), I16, 0.1))
        cells.append(Cell(f"string_{index}_amps", 31028 + 2 * index, of.string_amps(index), I16, 0.01))
    return [*cells, *_battery(inverter)]


def _battery(inverter: SimulatedInverter) -> list[Cell]:
    battery, of = inverter.settings.battery, Measured(inverter)
    if battery is None:
        return []
    return [
        Cell("draw_max_watts", 30546, lambda: inverter.settings.ac_rating_watts, U32),
        Cell("capacity_wh", 30548, lambda: battery.capacity_wh, U32, WH_PER_COUNT),
        Cell("charge_rated_watts", 30550, lambda: battery.charge_watts, U32),
        Cell("discharge_rated_watts", 30552, lambda: battery.discharge_watts, U32),
        Cell("charged_wh", 30568, lambda: inverter.charged_wh, U64, WH_PER_COUNT),
        Cell("discharged_wh", 30574, lambda: inverter.discharged_wh, U64, WH_PER_COUNT),
        Cell("charge_max_watts", 30591, lambda: battery.charge_watts, U32),
        Cell("discharge_max_watts", 30593, lambda: battery.discharge_watts, U32),
        Cell("battery_watts", 30599, of.battery_watts, I32),
        Cell("soc_percent", 30601, of.soc_percent, gain=0.1),
        Cell("health_percent", 30602, lambda: 100, gain=0.1),
        Cell("battery_celsius", 30603, lambda: battery.temperature_celsius, I16, 0.1),
    ]


def _state(inverter: SimulatedInverter) -> int:
    waits = inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY)
    return STANDBY if waits else RUNNING
