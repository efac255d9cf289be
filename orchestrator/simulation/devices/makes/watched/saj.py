"""A SAJ H2 hybrid with three phases: holding registers alone, high word first. Ampere sells it as StoragePro.

From stanus74/home-assistant-saj-h2-modbus (modbus_readers) and evcc's templates saj-h2 and saj-h1, which cite the "SAJ
Modbus Communication Protocol". The rules:
- 0x8F00 is the type of device, 0x8F03 its serial number and 0x8F0D its product code, both of 20 letters. There is no
  text of a model.
- 0x4004 says what it does: 1 waits, 2 runs.
- 0x40A5 is the power of PV, 0x40A6 of the battery, discharging +, 0x40A9 what it gives to AC; 0x4096 is the way of the
  battery: 1 discharges, 65535 charges. What its meter sees (0x40A1, 0x40AD) and the load (0x40A0) are not here: 0.
- The battery's state of charge is in 0.01 % at 0x406F and at 0xA00C. Energies are in 0.01 kWh.
- Its settings (0x3604 to 0x3660, 0x3247) are flash memory: nobody writes them all day.
- Registers between its blocks are refused.
Doubtful: the numbers of types; the signs of its grid port (0x4035, 0x40A7: as AC power here, + out), and of currents;
whether function 4 is known (refused here). It answers slowly, which `latency_s` can say.
"""

from __future__ import annotations

from typing import Final

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import OperatingState
from orchestrator.simulation.devices.makes.watched.device import WatchedDevice
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import READ_HOLDING, WRITE_MANY, WRITE_ONE, Cell
from orchestrator.simulation.devices.plain.measured import Measured
from orchestrator.simulation.devices.plain.words import I16, U32, text
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS, FREQUENCY_HZ, PHASE_VOLTS
from orchestrator.simulation.plant.inverter import SimulatedInverter

TYPE_OF_DEVICE, SUBTYPE = 0x0011, 0x0003
WAITING, RUNNING = 1, 2
DISCHARGES, CHARGES, RESTS = 1, -1, 0
IDLE_WATTS = 10.0
WH_PER_COUNT = 10.0
FUNCTIONS: Final = frozenset({READ_HOLDING, WRITE_ONE, WRITE_MANY})
BLOCKS: Final = (
    (0x3604, 0x3660),
    (0x4004, 0x4016),
    (0x4031, 0x4054),
    (0x4055, 0x40AD),
    (0x40BF, 0x40FE),
    (0x8F00, 0x8F1C),
    (0xA000, 0xA037),
)


class SajH2(WatchedDevice):
    """A hybrid with up to four strings."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        cells = [*_identity(inverter), *_readings(inverter)]
        if inverter.settings.battery is not None:
            cells += _battery(inverter, inverter.settings.battery)
        super().__init__(inverter, reserve(cells, *BLOCKS), functions=FUNCTIONS)


def _identity(inverter: SimulatedInverter) -> list[Cell]:
    serial = Measured(inverter).serial("HST2103J", 8)
    return [
        Cell("type_of_device", 0x8F00, lambda: TYPE_OF_DEVICE),
        Cell("subtype", 0x8F01, lambda: SUBTYPE),
        Cell("protocol", 0x8F02, lambda: 1.0, gain=0.001),
        Cell("serial", 0x8F03, lambda: serial, text(10)),
        Cell("product_code", 0x8F0D, lambda: "201-00052-00", text(10)),
    ]


def _readings(inverter: SimulatedInverter) -> list[Cell]:
    of = Measured(inverter)
    cells = [
        Cell("state", 0x4004, lambda: _state(inverter)),
        Cell("celsius", 0x4010, lambda: 38.5, I16, 0.1),
        Cell("pv_flows", 0x4095, lambda: int(of.pv_watts() > 0)),
        Cell("pv_watts", 0x40A5, of.pv_watts, I16),
        Cell("grid_port_watts", 0x40A7, of.ac_watts, I16),
        Cell("ac_watts", 0x40A9, of.ac_watts, I16),
        Cell("ac_voltamps", 0x40AA, lambda: abs(of.ac_watts()), I16),
        Cell("pv_wh", 0x40C5, lambda: inverter.pv_wh, U32, WH_PER_COUNT),
        Cell("generated_wh", 0x40DD, lambda: inverter.generated_wh, U32, WH_PER_COUNT),
    ]
    for phase in range(3):
        grid, ac = 0x4031 + 7 * phase, 0x4046 + 5 * phase
        cells += [
            Cell(f"grid_{phase}_volts", grid, lambda: PHASE_VOLTS, gain=0.1),
            Cell(f"grid_{phase}_amps", grid + 1, of.phase_amps, I16, 0.01),
            Cell(f"grid_{phase}_hz", grid + 2, lambda: FREQUENCY_HZ, gain=0.01),
            Cell(f"grid_{phase}_watts", grid + 4, of.phase_watts, I16),
            Cell(f"ac_{phase}_volts", ac, lambda: PHASE_VOLTS, gain=0.1),
            Cell(f"ac_{phase}_amps", ac + 1, of.phase_amps, I16, 0.01),
            Cell(f"ac_{phase}_hz", ac + 2, lambda: FREQUENCY_HZ, gain=0.01),
            Cell(f"ac_{phase}_watts", ac + 3, of.phase_watts, I16),
        ]
    for index in range(4):
        cells += [
            Cell(f"string_{index}_volts", 0x4071 + 3 * index, of.string_volts(index), gain=0.1),
            Cell(f"string_{index}_amps", 0x4072 + 3 * index, of.string_amps(index), gain=0.01),
            Cell(f"string_{index}_watts", 0x4073 + 3 * index, of.string_watts(index)),
        ]
    return cells


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> list[Cell]:
    of = Measured(inverter)
    return [
        Cell("battery_celsius", 0x406E, lambda: battery.temperature_celsius, I16, 0.1),
        Cell("soc_percent", 0x406F, of.soc_percent, gain=0.01),
        Cell("battery_way", 0x4096, lambda: _way(of.battery_watts()), I16),
        Cell("battery_watts", 0x40A6, of.discharge_watts, I16),
        Cell("charged_wh", 0x40CD, lambda: inverter.charged_wh, U32, WH_PER_COUNT),
        Cell("discharged_wh", 0x40D5, lambda: inverter.discharged_wh, U32, WH_PER_COUNT),
        Cell("batteries", 0xA000, lambda: 1),
        Cell("capacity_ah", 0xA001, lambda: battery.capacity_wh / BATTERY_VOLTS),
        Cell("batteries_online", 0xA00B, lambda: 1),
        Cell("battery_soc_percent", 0xA00C, of.soc_percent, gain=0.01),
        Cell("health_percent", 0xA00D, lambda: 100, gain=0.01),
        Cell("battery_volts", 0xA00E, lambda: BATTERY_VOLTS, gain=0.1),
        Cell("battery_amps", 0xA00F, of.discharge_amps, I16, 0.01),
        Cell("pack_celsius", 0xA010, lambda: battery.temperature_celsius, I16, 0.1),
        Cell("discharge_max_amps", 0xA036, lambda: battery.discharge_watts / BATTERY_VOLTS, gain=0.1),
        Cell("charge_max_amps", 0xA037, lambda: battery.charge_watts / BATTERY_VOLTS, gain=0.1),
    ]


def _way(watts: float) -> int:
    if abs(watts) < IDLE_WATTS:
        return RESTS
    return CHARGES if watts > 0 else DISCHARGES


def _state(inverter: SimulatedInverter) -> int:
    waits = inverter.operating_state in (OperatingState.SLEEPING, OperatingState.STANDBY)
    return WAITING if waits else RUNNING
