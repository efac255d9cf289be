"""A KOSTAL PLENTICORE with external battery control: own registers with floats low word first, and a SunSpec chain.

From "KOSTAL Interface description MODBUS (TCP) & SunSpec with control information" 2.0, and from the field:
- Battery registers count only while an installer has put battery management to "external via MODBUS" (1080 is 2).
  Otherwise they are taken and do nothing.
- Each value lapses on its own, 60 s after it was last written. There is no register for that time.
- 1034 sets the battery's power, discharging +. The limits cap it. Without it the inverter regulates inside the limits.
- Of the chain WMaxLimPct and WMaxLim_Ena can be written, one register at a time (function 6). The limit acts at once,
  since WMaxLim_Ena is 1 on delivery, and has no time-out. On the `first_generation` WMaxLim_Ena stays 1 without a word.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from orchestrator.simulation.devices.makes.kostal.chain import chain
from orchestrator.simulation.devices.makes.kostal.readings import BLOCKS, battery_readings, readings
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.chained import ChainedDevice
from orchestrator.simulation.devices.plain.lapsing import LapsingValues
from orchestrator.simulation.devices.plain.map import Cell, Number
from orchestrator.simulation.devices.plain.words import F32
from orchestrator.simulation.devices.sunspec.register_map import BASE_ADDRESS, ExceptionCode
from orchestrator.simulation.devices.sunspec.words import Value
from orchestrator.simulation.plant.inverter import SimulatedInverter

NO_EXTERNAL_CONTROL, BY_MODBUS = 0, 2
LAPSES_AFTER_S = 60.0
FULL_LIMIT = 10000
"""100 % with the scale factor of -2 that model 123 has here."""
LIMIT, LIMIT_ENABLED = "123.WMaxLimPct", "123.WMaxLim_Ena"
COMMANDS: tuple[tuple[str, int], ...] = (
    ("set_point", 1034),
    ("most_charge", 1038),
    ("most_discharge", 1040),
    ("least_soc", 1042),
    ("most_soc", 1044),
)


class KostalPlenticore(ChainedDevice):
    """Own registers and chain of unit 71. `management` is what the installer has set (register 1080)."""

    single_writes = range(BASE_ADDRESS, BASE_ADDRESS + 1000)

    def __init__(self, inverter: SimulatedInverter, *, first_generation: bool = False) -> None:
        self.management = BY_MODBUS
        self._keeps_enabled = first_generation
        self._inverter = inverter
        self._commands = LapsingValues((name for name, _ in COMMANDS), LAPSES_AFTER_S)
        self._limit: dict[str, float] = {LIMIT: FULL_LIMIT, LIMIT_ENABLED: 1}
        super().__init__(
            chain(inverter, self._controls),
            reserve(self._cells(), *BLOCKS),
            writable=frozenset(self._limit),
            little=True,
        )

    def refuses(self, written: Mapping[str, Number]) -> ExceptionCode | None:
        """A value that its register does not allow."""
        return None if all(_allows(name, value) for name, value in written.items()) else ExceptionCode.ILLEGAL_VALUE

    def taken(self, written: Mapping[str, Number]) -> None:
        """Obey accepted values."""
        self._commands.write({name: value for name, value in written.items() if name in self._commands})
        self._limit.update({name: value for name, value in written.items() if name in self._limit})
        if self._keeps_enabled:
            self._limit[LIMIT_ENABLED] = 1
        self._obey()

    def advance(self, dt_s: float) -> None:
        """Let commands grow older by `dt_s`."""
        self._commands.advance(dt_s)
        self._obey()

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: no command, no limit."""
        self._commands.clear()
        self._limit |= {LIMIT: FULL_LIMIT, LIMIT_ENABLED: 1}
        self._obey()

    def _obey(self) -> None:
        inverter = self._inverter
        low_watts, high_watts = self._window()
        limited = self._limit[LIMIT_ENABLED] == 1 and self._limit[LIMIT] < FULL_LIMIT
        limit_watts = inverter.settings.ac_rating_watts * self._limit[LIMIT] / FULL_LIMIT
        as_found = inverter.default_controls()
        reserve_percent = self._in_force("least_soc")
        inverter.controls = replace(
            inverter.controls,
            ac_limit_watts=limit_watts if limited else None,
            low_watts=low_watts,
            high_watts=high_watts,
            grid_charging=as_found.grid_charging or (low_watts or 0.0) > 0,
            reserve_percent=as_found.reserve_percent if reserve_percent is None else reserve_percent,
        )

    def _window(self) -> tuple[float | None, float | None]:
        """What battery power (charging +) is kept in."""
        set_point, charge, discharge = (self._in_force(name) for name in ("set_point", "most_charge", "most_discharge"))
        most_soc = self._in_force("most_soc")
        if most_soc is not None and (self._inverter.soc_percent or 0.0) >= most_soc:
            charge = 0.0
        if set_point is None:
            return None if discharge is None else -discharge, charge
        watts = min(-set_point, math.inf if charge is None else charge)
        watts = max(watts, -math.inf if discharge is None else -discharge)
        return watts, watts

    def _in_force(self, name: str) -> float | None:
        return self._commands.get(name) if self.management == BY_MODBUS else None

    def _controls(self) -> Mapping[str, Value]:
        """Model 123."""
        limit_percent = self._limit[LIMIT] / 100
        return {"Conn": 1, "WMaxLimPct": limit_percent, "WMaxLimPct_SF": -2, "WMaxLim_Ena": self._limit[LIMIT_ENABLED]}

    def _cells(self) -> list[Cell]:
        inverter, battery = self._inverter, self._inverter.settings.battery
        if battery is None:
            return readings(inverter)
        found = {
            "set_point": 0.0,
            "most_charge": battery.charge_watts,
            "most_discharge": battery.discharge_watts,
            "least_soc": battery.reserve_percent,
            "most_soc": 100.0,
        }

        def shown(name: str) -> Callable[[], float]:
            return lambda: {**found, **self._commands.in_force}[name]

        commands = [Cell(name, address, shown(name), F32, writable=True) for name, address in COMMANDS]
        management = Cell("management", 1080, lambda: self.management)
        return [*readings(inverter), *battery_readings(inverter, battery), *commands, management]


def _allows(name: str, value: float) -> bool:
    if name == "set_point":
        return math.isfinite(value)
    upper = {LIMIT: FULL_LIMIT, LIMIT_ENABLED: 1.0, "least_soc": 100.0, "most_soc": 100.0}
    return math.isfinite(value) and 0 <= value <= upper.get(name, math.inf)
