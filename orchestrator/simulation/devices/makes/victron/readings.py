"""What a Victron GX shows: battery and PV at the system's unit, AC at the Multi's, limits at the battery's.

AC power is + where it is taken from the AC input, battery power + where it charges. The AC input carries what hangs on
the AC output less what the converter gives.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import Cell
from orchestrator.simulation.devices.plain.words import I16, text
from orchestrator.simulation.devices.sunspec.values import FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.plant.inverter import ASLEEP_BELOW_WATTS, SimulatedInverter

BATTERY_VOLTS: Final = 51.2
GRID, AC_INPUT_1 = 1, 0
IDLE, CHARGING, DISCHARGING = 0, 1, 2
SYSTEM_BLOCKS: Final = ((808, 826), (840, 846), (850, 851), (865, 866))
VEBUS_BLOCKS: Final = ((3, 68),)
BATTERY_BLOCKS: Final = ((259, 274), (304, 309))


def portal_id(inverter: SimulatedInverter) -> str:
    """The 12 hexadecimal digits by which a GX is known."""
    return f"{zlib.crc32(inverter.name.encode()):012x}"


def system_cells(inverter: SimulatedInverter) -> list[Cell]:
    """com.victronenergy.system."""
    return reserve(
        [
            Cell("serial", 800, lambda: portal_id(inverter), text(6)),
            Cell("ac_source", 826, lambda: GRID, I16),
            Cell("battery_volts", 840, lambda: BATTERY_VOLTS, gain=0.1),
            Cell("battery_amps", 841, lambda: _battery_amps(inverter), I16, 0.1),
            Cell("battery_watts", 842, lambda: inverter.state.battery_watts, I16),
            Cell("soc_percent", 843, lambda: inverter.soc_percent or 0.0),
            Cell("battery_state", 844, lambda: _battery_state(inverter)),
            Cell("pv_watts", 850, lambda: inverter.state.pv_watts),
            Cell("pv_amps", 851, lambda: inverter.state.pv_watts / BATTERY_VOLTS, I16, 0.1),
            Cell("vebus_amps", 865, lambda: _converter_dc_watts(inverter) / BATTERY_VOLTS, I16, 0.1),
            Cell("vebus_watts", 866, lambda: _converter_dc_watts(inverter), I16),
        ],
        *SYSTEM_BLOCKS,
    )


def vebus_cells(
    inverter: SimulatedInverter, own: Iterable[Cell], state: Callable[[], int], out_watts: Sequence[float]
) -> list[Cell]:
    """com.victronenergy.vebus; `own` are the registers that it obeys, `state` gives the state that it is in.

    `out_watts` is what hangs on the AC output, by phase: so many phases it has.
    """
    phases = len(out_watts)

    def out(phase: int) -> Callable[[], float]:
        return lambda: out_watts[phase]

    def drawn(phase: int) -> Callable[[], float]:
        return lambda: out_watts[phase] - inverter.state.ac_watts / phases

    def amps(phase: int) -> Callable[[], float]:
        return lambda: drawn(phase)() / PHASE_VOLTS

    cells = [
        Cell("phases", 28, lambda: phases),
        Cell("ac_input", 29, lambda: AC_INPUT_1),
        Cell("dc_volts", 26, lambda: BATTERY_VOLTS, gain=0.01),
        Cell("dc_amps", 27, lambda: _converter_dc_watts(inverter) / BATTERY_VOLTS, I16, 0.1),
        Cell("vebus_soc_percent", 30, lambda: inverter.soc_percent or 0.0, gain=0.1),
        Cell("state", 31, state),
        Cell("bms_allows_charge", 57, lambda: 1),
        Cell("bms_allows_discharge", 58, lambda: 1),
    ]
    for phase in range(phases):
        cells += [
            Cell(f"in_volts_l{phase + 1}", 3 + phase, lambda: PHASE_VOLTS, gain=0.1),
            Cell(f"in_amps_l{phase + 1}", 6 + phase, amps(phase), I16, 0.1),
            Cell(f"in_hz_l{phase + 1}", 9 + phase, lambda: FREQUENCY_HZ, I16, 0.01),
            Cell(f"in_watts_l{phase + 1}", 12 + phase, drawn(phase), I16, 10),
            Cell(f"out_volts_l{phase + 1}", 15 + phase, lambda: PHASE_VOLTS, gain=0.1),
            Cell(f"out_watts_l{phase + 1}", 23 + phase, out(phase), I16, 10),
        ]
    return reserve([*cells, *own], *VEBUS_BLOCKS)


def battery_cells(inverter: SimulatedInverter, discharge_max_watts: Callable[[], float]) -> list[Cell]:
    """com.victronenergy.battery: what its management says over CAN."""
    battery = inverter.settings.battery
    if battery is None:
        return []
    return reserve(
        [
            Cell("volts", 259, lambda: BATTERY_VOLTS, gain=0.01),
            Cell("amps", 261, lambda: _battery_amps(inverter), I16, 0.1),
            Cell("soc_percent", 266, lambda: inverter.soc_percent or 0.0, gain=0.1),
            Cell("soh_percent", 304, lambda: 100.0, gain=0.1),
            Cell("charge_max_amps", 307, lambda: battery.charge_watts / BATTERY_VOLTS, gain=0.1),
            Cell("discharge_max_amps", 308, lambda: discharge_max_watts() / BATTERY_VOLTS, gain=0.1),
            Cell("installed_ah", 309, lambda: battery.capacity_wh / BATTERY_VOLTS, gain=0.1),
        ],
        *BATTERY_BLOCKS,
    )


def _battery_amps(inverter: SimulatedInverter) -> float:
    return inverter.state.battery_watts / BATTERY_VOLTS


def _converter_dc_watts(inverter: SimulatedInverter) -> float:
    """What the Multi brings to the battery's side (+), or takes from there (-)."""
    return inverter.state.battery_watts - inverter.state.pv_watts


def _battery_state(inverter: SimulatedInverter) -> int:
    watts = inverter.state.battery_watts
    if abs(watts) < ASLEEP_BELOW_WATTS:
        return IDLE
    return CHARGING if watts > 0 else DISCHARGING
