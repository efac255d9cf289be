"""A FoxESS H3 (AC3, AIO-H3 and the same under other names): all in holding registers, high word first, unit 247.

From nathanmarlor/foxess_modbus (entity_descriptions, inverter_profiles, modbus_controller, issue 557, discussion 503)
and evcc's template fox-ess-h3. Power of the remote control is at the AC port: see `remote`. Battery power (31036) is
+ discharging. The rules besides those of `remote`:
- The name of the model (30000) has ONE letter in each register and begins with a space; the serial number (30016) is
  simulated the same way. The rating is said nowhere else than in that name, and the capacity nowhere at all.
- Registers 41000 to 41999 are read one at a time, else exception 2; 41001 to 41006, 41012, 41013 and 41015 are missing.
- Remote control (44000), its time-out (44001) and its power (44002, 32 bits) are written one after the other: what
  covers two of them is refused (exception 2). Other than in H1, power has two registers: one alone is refused too.
- There is no AC limit beside the remote control.
Doubtful: how the serial number is packed; how often writes fail for no reason (issue 529 has many that do).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.makes.remote.foxess.remote import MOST_AMPS, POWER_RANGE, SOC_RANGE, FoxessHybrid
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import Cell
from orchestrator.simulation.devices.plain.measured import Measured
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.plain.words import I16, I32, U32
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS, FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.devices.sunspec.words import Words
from orchestrator.simulation.plant.inverter import SimulatedInverter

SELF_USE, FEED_IN_FIRST, BACK_UP = 0, 1, 2
READ_ALONE = range(41000, 42000)
LETTERS = 16
WAITING, ON_GRID = 1, 3
WH_PER_COUNT = 100.0


class FoxessH3(FoxessHybrid):
    """Serves and obeys the registers of one inverter."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        battery = inverter.settings.battery
        settings = Settings(_battery_settings(battery) if battery else ())
        cells = [*settings.cells(), *_nameplate(inverter), *_measured(inverter)]
        if battery is not None:
            cells += _battery(inverter, battery)
        super().__init__(inverter, settings, reserve(cells, (31000, 31052), (32000, 32013)), back_up=BACK_UP)

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """As of any plain device, but for the settings, which are read alone."""
        if count > 1 and READ_ALONE.start < address + count and address < READ_ALONE.stop:
            return ExceptionCode.ILLEGAL_ADDRESS
        return super().read(address, count)

    def refuses(self, written: Mapping[str, float]) -> ExceptionCode | None:
        """Exception 2 for more than one setting at once, 3 for a value out of its range."""
        return ExceptionCode.ILLEGAL_ADDRESS if len(written) > 1 else super().refuses(written)


def one_letter_each(name: str, address: int, letters: str) -> list[Cell]:
    """Text with one letter in each of its registers, filled up with 0."""
    codes = [ord(letter) for letter in letters[:LETTERS].ljust(LETTERS, "\0")]
    return [Cell(f"{name} {index}", address + index, _always(code)) for index, code in enumerate(codes)]


def _always(number: float) -> Callable[[], float]:
    return lambda: number


def _nameplate(inverter: SimulatedInverter) -> list[Cell]:
    model = f" H3-{inverter.settings.ac_rating_watts / 1000:.1f}-E"
    serial = Measured(inverter).serial("603H", 11)
    return [
        *one_letter_each("model", 30000, model),
        *one_letter_each("serial", 30016, serial),
        *(Cell(f"version_{index}", 36001 + index, _always(version)) for index, version in enumerate((183, 103, 175))),
    ]


def _measured(inverter: SimulatedInverter) -> list[Cell]:
    of = Measured(inverter)
    cells = [
        Cell("frequency_hz", 31015, lambda: FREQUENCY_HZ, gain=0.01),
        Cell("state", 31041, lambda: _state(inverter)),
        Cell("generated_wh", 32000, lambda: inverter.pv_wh, U32, gain=WH_PER_COUNT),
    ]
    for index in range(2):
        cells += [
            Cell(f"string_{index}_volts", 31000 + 3 * index, of.string_volts(index), I16, gain=0.1),
            Cell(f"string_{index}_amps", 31001 + 3 * index, of.string_amps(index), I16, gain=0.1),
            Cell(f"string_{index}_watts", 31002 + 3 * index, of.string_watts(index), I16),
        ]
    for phase in range(3):
        cells += [
            Cell(f"phase_{phase}_volts", 31006 + phase, lambda: PHASE_VOLTS, gain=0.1),
            Cell(f"phase_{phase}_amps", 31009 + phase, of.phase_amps, I16, gain=0.1),
            Cell(f"phase_{phase}_watts", 31012 + phase, of.phase_watts, I16),
        ]
    return cells


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    of = Measured(inverter)
    return [
        Cell("battery_volts", 31034, lambda: BATTERY_VOLTS, gain=0.1),
        Cell("battery_amps", 31035, of.discharge_amps, I16, gain=0.1),
        Cell("battery_watts", 31036, of.discharge_watts, I16),
        Cell("battery_celsius", 31037, lambda: battery.temperature_celsius, I16, gain=0.1),
        Cell("soc_percent", 31038, of.soc_percent),
        Cell("charged_wh", 32003, lambda: inverter.charged_wh, U32, gain=WH_PER_COUNT),
        Cell("discharged_wh", 32006, lambda: inverter.discharged_wh, U32, gain=WH_PER_COUNT),
    ]


def _battery_settings(battery: BatterySimulation) -> list[Setting]:
    least_percent = max(battery.reserve_percent, SOC_RANGE.low)
    return [
        Setting("work_mode", 41000, {SELF_USE, FEED_IN_FIRST, BACK_UP}, SELF_USE),
        Setting("charge_max_amps", 41007, Between(0, MOST_AMPS), MOST_AMPS, gain=0.1),
        Setting("discharge_max_amps", 41008, Between(0, MOST_AMPS), MOST_AMPS, gain=0.1),
        Setting("soc_min_percent", 41009, SOC_RANGE, least_percent),
        Setting("soc_max_percent", 41010, SOC_RANGE, 100),
        Setting("soc_min_on_grid_percent", 41011, SOC_RANGE, least_percent),
        Setting("remote", 44000, {0, 1}),
        Setting("timeout_s", 44001, Between(0, 0xFFFF)),
        Setting("watts", 44002, POWER_RANGE, 0, I32),
    ]


def _state(inverter: SimulatedInverter) -> int:
    waits = inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY)
    return WAITING if waits else ON_GRID
