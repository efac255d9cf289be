"""A FoxESS H3 Smart or H3 Pro (Enpal I-X): all in holding registers, high word first, unit 247.

From the "FOX Inverter Modbus definition" V1.05.03 as its tables are in public code (a reader in TypeScript, and
solakon-de/solakon-one-homeassistant for the bits of 46001), nathanmarlor/foxess_modbus (discussion 792) and evcc's
template fox-ess-h3-smart. Battery power (39237) is + discharging. The rules besides those of `remote`:
- 46001 has bits: 0 on, 1 the direction that is positive (0 giving, 1 drawing), 2 and 3 what is controlled: the AC port
  (0) or the battery (1). The grid connection (2) and AC with the grid first (3) need its own meter, which is not here:
  they are refused, exception 3. Power (46003) has 32 bits, and half of them is refused.
- 46007 counts down to the end of remote control.
- Work modes 6 and 7 (forced) are refused at 49203, as seen with firmware 1.24.
- Registers 37612 and around it are read up to 37636 and no further.
- The export limits (46504, 46616) work at its own meter: they are kept, and limit nothing. There is no AC limit.
Doubtful: the text of the model (its letters come in any case: H3-10.0-SMART, -Smart, -M); bits of the status (39063).
"""

from __future__ import annotations

import math

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.makes.remote.foxess.remote import MOST_AMPS, POWER_RANGE, SOC_RANGE, FoxessHybrid
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import Cell
from orchestrator.simulation.devices.plain.measured import Measured
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.plain.words import I16, I32, U32, text
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS, FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.plant.inverter import SimulatedInverter

SELF_USE, FEED_IN_FIRST, BACK_UP, PEAK_SHAVING = 1, 2, 3, 4
DRAWING_IS_POSITIVE, BATTERY_PORT = 0b0010, 0b0100
REMOTE_VALUES = frozenset({0, 0b0001, 0b0011, 0b0101, 0b0111})
PROTOCOL_VERSION = 0x01050300
STANDBY, OPERATION = 0b0001, 0b0100
BLOCKS = ((37609, 37636), (39053, 39152), (39225, 39290))


class FoxessSmart(FoxessHybrid):
    """Serves and obeys the registers of one inverter."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        battery = inverter.settings.battery
        settings = Settings([*_limit_settings(inverter), *(_battery_settings(battery) if battery else ())])
        cells = [*settings.cells(), *_nameplate(inverter), *_measured(inverter)]
        if battery is not None:
            cells += _battery(inverter, battery)
            cells.append(Cell("seconds_left", 46007, lambda: math.ceil(self.seconds_left())))
        super().__init__(inverter, settings, reserve(cells, *BLOCKS), back_up=BACK_UP)

    def controls_battery(self, remote: int) -> bool:
        """Bits 2 and 3."""
        return bool(remote & BATTERY_PORT)

    def giving_watts(self, remote: int, watts: float) -> float:
        """Bit 1 turns the sign."""
        return -watts if remote & DRAWING_IS_POSITIVE else watts


def _nameplate(inverter: SimulatedInverter) -> list[Cell]:
    rating_watts = inverter.settings.ac_rating_watts
    serial = Measured(inverter).serial("60BH", 11)
    return [
        Cell("model", 30000, lambda: f"H3-{rating_watts / 1000:.1f}-SMART", text(16)),
        Cell("serial", 30016, lambda: serial, text(16)),
        Cell("maker", 30032, lambda: "FOXESS", text(16)),
        Cell("version", 36001, lambda: 124),
        Cell("protocol", 39000, lambda: PROTOCOL_VERSION, U32),
        Cell("rated_watts", 39053, lambda: rating_watts, I32),
        Cell("most_watts", 39055, lambda: rating_watts, I32),
    ]


def _measured(inverter: SimulatedInverter) -> list[Cell]:
    of = Measured(inverter)
    cells = [
        Cell("status", 39063, lambda: _status(inverter)),
        Cell("pv_watts", 39118, of.pv_watts, I32),
        Cell("ac_watts", 39134, of.ac_watts, I32),
        Cell("frequency_hz", 39139, lambda: FREQUENCY_HZ, I16, gain=0.01),
        Cell("generated_wh", 39149, lambda: inverter.pv_wh, U32, gain=10),
        *(Cell(f"phase_{phase}_volts", 39123 + phase, lambda: PHASE_VOLTS, I16, gain=0.1) for phase in range(3)),
    ]
    for index in range(3):
        cells += [
            Cell(f"string_{index}_volts", 39070 + 2 * index, of.string_volts(index), I16, gain=0.1),
            Cell(f"string_{index}_amps", 39071 + 2 * index, of.string_amps(index), I16, gain=0.01),
            Cell(f"string_{index}_watts", 39279 + 2 * index, of.string_watts(index), I32),
        ]
    return cells


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    of = Measured(inverter)
    return [
        Cell("battery_celsius", 37611, lambda: battery.temperature_celsius, I16, gain=0.1),
        Cell("soc_percent", 37612, of.soc_percent),
        Cell("battery_volts", 39227, lambda: BATTERY_VOLTS, I16, gain=0.1),
        Cell("battery_amps", 39228, of.discharge_amps, I32, gain=0.001),
        Cell("battery_1_watts", 39230, of.discharge_watts, I32),
        Cell("battery_watts", 39237, of.discharge_watts, I32),
        Cell("soc_shown_percent", 39424, of.soc_percent),
    ]


def _limit_settings(inverter: SimulatedInverter) -> list[Setting]:
    rating_watts = inverter.settings.ac_rating_watts
    return [
        Setting("import_limit_watts", 46501, POWER_RANGE, rating_watts, I32),
        Setting("export_limit_watts", 46504, POWER_RANGE, rating_watts, I32),
        Setting("export_limit_2_watts", 46616, POWER_RANGE, rating_watts, I32),
    ]


def _battery_settings(battery: BatterySimulation) -> list[Setting]:
    least_percent = max(battery.reserve_percent, SOC_RANGE.low)
    return [
        Setting("remote", 46001, REMOTE_VALUES),
        Setting("timeout_s", 46002, Between(0, 3600)),
        Setting("watts", 46003, POWER_RANGE, 0, I32),
        Setting("reactive_vars", 46005, POWER_RANGE, 0, I32),
        Setting("charge_max_amps", 46607, Between(0, MOST_AMPS), MOST_AMPS, I16, 0.1),
        Setting("discharge_max_amps", 46608, Between(0, MOST_AMPS), MOST_AMPS, I16, 0.1),
        Setting("soc_min_percent", 46609, SOC_RANGE, least_percent),
        Setting("soc_max_percent", 46610, SOC_RANGE, 100),
        Setting("soc_min_on_grid_percent", 46611, SOC_RANGE, least_percent),
        Setting("work_mode", 49203, {SELF_USE, FEED_IN_FIRST, BACK_UP, PEAK_SHAVING}, SELF_USE),
    ]


def _status(inverter: SimulatedInverter) -> int:
    waits = inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY)
    return STANDBY if waits else OPERATION
