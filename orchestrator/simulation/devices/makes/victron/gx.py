"""A Victron GX with a Multi, a battery and DC-coupled PV, from the CCGX Modbus TCP register list (3.81).

System and settings are at unit 100 and at the unit of site.yaml, the Multi (VE.Bus) is at 227 (228, 242, 246 on other
GX), the battery at 225. What hangs on the AC output (`out_watts`, by phase) is not part of the virtual site's load.
From the page "ESS mode 2 and 3", and what installations report of it:
- In the ESS modes 1 and 2 the GX rules by its own grid meter, and what is written to the Multi's set points is lost.
  There is no such meter here: the battery charges from its PV and does not discharge. It keeps the minimum SoC.
- In mode 3 (2902) the set points of the phases (37, 40, 41: + is taken from the AC input) say what flows at the AC
  input, which is battery plus AC output; the battery takes or gives the rest. The GX keeps neither the minimum SoC nor
  what the battery's management says that it gives at most (308, `bms_discharge_watts`).
- 38 = 1 stops charging from AC, 39 = 1 stops inverting; the set point yields. With both it passes through.
- A set point of a phase that is not there is refused with exception 10.
- A set point holds for 10 s. The page says 60 s, installations have seen 10 to 14 s; the shorter is kept here. Then,
  and before the first set point, the Multi passes through: nothing flows at the AC input, PV charges the battery.
- Excess PV that the battery does not take is fed in beyond the set point where 65 is 0, up to 66 to 68.
- The most charging current (2705) bounds the battery in every mode.
- Functions 3 and 4 read the same registers. A setting out of range is refused with exception 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from orchestrator.simulation.devices.makes.victron.readings import (
    BATTERY_VOLTS,
    battery_cells,
    system_cells,
    vebus_cells,
)
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import Cell, PlainDevice
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.plain.words import I16, I32
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.values import PHASE_VOLTS, PHASES
from orchestrator.simulation.devices.sunspec.words import Words
from orchestrator.simulation.physics import Controls, to_dc
from orchestrator.simulation.plant.countdown import Countdown
from orchestrator.simulation.plant.inverter import SimulatedInverter

SYSTEM_UNIT, BATTERY_UNIT, VEBUS_UNIT = 100, 225, 227
OPTIMISED, OPTIMISED_EACH_PHASE, EXTERNAL = 1, 2, 3
CHARGER_ONLY, INVERTER_ONLY, ON, OFF = 1, 2, 3, 4
STATE_OFF, PASSTHRU, INVERTING, EXTERNAL_CONTROL = 0, 8, 9, 252
HOLDS_S: Final = 10.0
SET_POINTS: Final = ("set_watts_l1", "set_watts_l2", "set_watts_l3")
SETTINGS_BLOCK = (2700, 2710)
WORD = Between(-32768, 65535)
FLAG = (0, 1)


class VictronUnit(PlainDevice):
    """One unit of a GX: the same registers for both functions that read."""

    def __init__(self, gx: VictronGx, settings: Settings, cells: list[Cell]) -> None:
        super().__init__(cells)
        self._gx = gx
        self._settings = settings

    def read_inputs(self, address: int, count: int) -> Words | ExceptionCode:
        """The same as `read`."""
        return self.read(address, count)

    def refuses(self, written: Mapping[str, float]) -> ExceptionCode | None:
        """Exception 10 for a value that the service behind does not take."""
        return None if self._settings.accepts(written) else ExceptionCode.NO_PATH

    def taken(self, written: Mapping[str, float]) -> None:
        """Keep settings, and let the GX look at them."""
        self._settings.take(written)
        self._gx.look_at(written)


class VictronGx(VictronUnit):
    """The system's unit; the Multi and the battery are among `others`."""

    def __init__(self, inverter: SimulatedInverter, vebus_unit: int = VEBUS_UNIT, phases: int = PHASES) -> None:
        self._inverter = inverter
        self._phases = phases
        self.out_watts = [0.0] * phases
        battery = inverter.settings.battery
        self.bms_discharge_watts = battery.discharge_watts if battery else 0.0
        self._holds = Countdown()
        self._ess = Settings(_ess_settings(inverter))
        self._multi = Settings(_multi_settings(inverter, phases))
        super().__init__(self, self._ess, reserve([*system_cells(inverter), *self._ess.cells()], SETTINGS_BLOCK))
        multi = VictronUnit(self, self._multi, vebus_cells(inverter, self._multi.cells(), self._state, self.out_watts))
        cells = battery_cells(inverter, lambda: self.bms_discharge_watts)
        multi.writes = self.writes
        self.others = {SYSTEM_UNIT: self, vebus_unit: multi, BATTERY_UNIT: VictronUnit(self, Settings([]), cells)}
        self._obey()

    def look_at(self, written: Mapping[str, float]) -> None:
        """Obey what was just written to one of the units."""
        if not self._is_external:
            self._forget_set_points()
        elif not written.keys().isdisjoint(SET_POINTS):
            self._holds.start(HOLDS_S)
        self._obey()

    def advance(self, dt_s: float) -> None:
        """Let the set points lapse, and follow the PV."""
        if self._holds.advance(dt_s):
            self._forget_set_points()
        self._obey()

    def restart_controls(self) -> None:
        """The Multi starts anew while the connection stays: no set point, nothing disabled."""
        self._forget_set_points()
        self._multi["charge_disabled"] = self._multi["feed_in_disabled"] = 0
        self._obey()

    @property
    def _is_external(self) -> bool:
        return self._ess["ess_mode"] == EXTERNAL

    def _forget_set_points(self) -> None:
        self._holds.stop()
        for name in SET_POINTS[: self._phases]:
            self._multi[name] = 0

    def _state(self) -> int:
        if self._multi["switch"] == OFF:
            return STATE_OFF
        if not self._is_external:
            return INVERTING
        idle = self._multi["charge_disabled"] and self._multi["feed_in_disabled"]
        return PASSTHRU if idle or self._holds.left_s is None else EXTERNAL_CONTROL

    def _obey(self) -> None:
        """Hand what is in force to the physics."""
        controls = self._external() if self._is_external else self._own_default()
        connected = self._multi["switch"] in (CHARGER_ONLY, ON)
        self._inverter.controls = replace(controls, connected=connected)

    def _own_default(self) -> Controls:
        return Controls(
            high_watts=self._most_charge_watts(),
            grid_charging=self._inverter.found_grid_charging,
            reserve_percent=self._ess["soc_min_percent"],
        )

    def _external(self) -> Controls:
        ac_watts = self._asked_ac_watts()
        battery_watts = self._inverter.state.pv_available_watts - to_dc(self._inverter.settings, ac_watts)
        most_watts = self._most_charge_watts()
        battery_watts = battery_watts if most_watts is None else min(battery_watts, most_watts)
        return Controls(
            ac_limit_watts=max(ac_watts, self._excess_watts()),
            low_watts=battery_watts,
            high_watts=battery_watts,
            grid_charging=ac_watts < 0,
        )

    def _asked_ac_watts(self) -> float:
        """What the set points ask of the converter, giving +, as far as is allowed. Nothing while it passes through."""
        rating_watts = self._inverter.settings.ac_rating_watts
        feeds_in = not self._multi["feed_in_disabled"] and self._multi["switch"] == ON
        low_watts = 0.0 if self._multi["charge_disabled"] else -rating_watts
        high_watts = rating_watts if feeds_in else 0.0
        if self._holds.left_s is None:
            return 0.0
        asked_watts = sum(self.out_watts) - sum(self._multi[name] for name in SET_POINTS[: self._phases])
        return min(max(asked_watts, low_watts), high_watts)

    def _excess_watts(self) -> float:
        """What of excess PV may be fed in, while the Multi is told anything at all."""
        if self._holds.left_s is None or self._multi["keeps_excess"] or self._multi["feed_in_disabled"]:
            return 0.0
        return sum(self._multi[f"excess_watts_l{phase}"] for phase in (1, 2, 3))

    def _most_charge_watts(self) -> float | None:
        amps = self._ess["charge_max_amps"]
        return None if amps < 0 else amps * BATTERY_VOLTS


def _ess_settings(inverter: SimulatedInverter) -> list[Setting]:
    battery = inverter.settings.battery
    return [
        Setting("grid_set_watts", 2700, WORD, 0, I16),
        Setting("charge_max_percent", 2701, Between(0, 100), 100),
        Setting("discharge_max_percent", 2702, Between(0, 100), 100),
        Setting("grid_set_hundreds_watts", 2703, Between(-3276800, 3276700), 0, I16, 100),
        Setting("discharge_max_watts", 2704, Between(0, 655350), 655350, gain=10),
        Setting("charge_max_amps", 2705, Between(-1, 32767), -1, I16),
        Setting("feed_in_max_watts", 2706, Between(-100, 3276700), -100, I16, 100),
        Setting("feeds_dc_excess", 2707, FLAG, 1),
        Setting("prevents_ac_feedback", 2708, FLAG),
        Setting("grid_override_watts", 2716, Between(-(2**31), 2**31 - 1), 0, I32),
        Setting("battery_life_state", 2900, Between(0, 12), 10),
        Setting("soc_min_percent", 2901, Between(0, 100), battery.reserve_percent if battery else 0, gain=0.1),
        Setting("ess_mode", 2902, (OPTIMISED, OPTIMISED_EACH_PHASE, EXTERNAL), OPTIMISED),
    ]


def _multi_settings(inverter: SimulatedInverter, phases: int) -> list[Setting]:
    set_points = list(zip(SET_POINTS, (37, 40, 41), strict=True))
    rated_amps = inverter.settings.ac_rating_watts / PHASES / PHASE_VOLTS
    return [
        Setting("input_amps", 22, Between(0, 3000), rated_amps, I16, 0.1),
        Setting("switch", 33, (CHARGER_ONLY, INVERTER_ONLY, ON, OFF), ON),
        *(Setting(name, address, WORD, 0, I16) for name, address in set_points[:phases]),
        *(Setting(name, address, (), 0, I16) for name, address in set_points[phases:]),
        Setting("charge_disabled", 38, FLAG),
        Setting("feed_in_disabled", 39, FLAG),
        Setting("keeps_excess", 65, FLAG),
        *(Setting(f"excess_watts_l{phase}", 65 + phase, Between(0, 6553500), 32700, gain=100) for phase in (1, 2, 3)),
    ]
