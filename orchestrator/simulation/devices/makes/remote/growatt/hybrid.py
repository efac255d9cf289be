"""A Growatt MOD-XH hybrid with the VPP protocol: settings in holding registers 30xxx, readings in input ones 31xxx.

From 0xAHA/Growatt_ModbusTCP (docs/developer/protocol-vpp, autodetection; issues 143, 286, 335, 373), issue 43 of
WouterTuinstra/Homeassistant-Growatt-Local-Modbus, discussion 1631 of wills106/homeassistant-solax-modbus and evcc's
template growatt-hybrid-tlxh. They cite "GROWATT VPP COMMUNICATION PROTOCOL OF INVERTER V2.03". The rules:
- The battery is commanded while 30100 (control authority) and 30407 (remote power control) are both 1: neither of them
  alone does anything of the kind. 30409 is its power in whole percent of its rating (30026), charging +, measured at
  the battery. It is a target: charging draws from AC too, also where 30410 forbids it.
- 30408 says for how many minutes; 0 is for ever. Writing 30407, 30408 or 30409 renews it, the same value too. Nothing
  shows that it has run out: 30407, 30409 and 30100 stay as they were. That it runs out at all was seen with 2 minutes,
  and was not with 5: `ends_by_itself` is False for a device of the latter kind.
- 30474 shows the last power that was asked for while 30407 was 1, also after that. Writing it is answered, and ignored.
- Without a battery its registers are not there (exception 2), those of its readings (31200 on) neither.
- 30100 = 1 while 30407 = 0 suspends charging from AC, and periods.
- AC power is limited by 30151, which is stored, and by 30154, which is not, in percent of the rating; the lesser holds.
- Not stored, and so as they were made after a restart: 30101, 30154, 30407, 30408, 30409.
- Discharging stops at 30405, charging at 30404, both for remote control too.
- Export limits (30200, 30201), and the time without an EMS (30203, 30204) that belongs to them, work at its own meter,
  which is not here: they are kept, and limit nothing.
Doubtful: whether the AC limits ask for 30100 (not here); the power of a percent (measured once as 77.6 W x percent
- 86 W with a rating of 8 kW; exact here); refusals. Some models, WIT among them, import for the whole house in the
state of 30100 = 1 and 30407 = 0. Not simulated: periods (30411 on), commands of the older protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from orchestrator.config.simulation import BatterySimulation
from orchestrator.simulation.devices.makes.remote.growatt.readings import identity, rated_battery_watts, readings
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import Cell, PlainDevice
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.plain.words import I16
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.physics import Controls
from orchestrator.simulation.plant.countdown import Countdown
from orchestrator.simulation.plant.inverter import SimulatedInverter

SECONDS_PER_MINUTE: Final = 60.0
PERCENT: Final = Between(0, 100)
SIGNED_PERCENT: Final = Between(-100, 100)
CUT_OFF: Final = Between(10, 100)
REMOTE: Final = frozenset({"remote", "minutes", "asked_percent"})
NOT_STORED: Final = {"running": 1, "passing_limit_percent": 100, "remote": 0, "minutes": 0, "asked_percent": 0}
HOLDING_BLOCKS: Final = ((30000, 30084), (30099, 30116), (30150, 30163), (30200, 30215))
INPUT_BLOCKS: Final = ((3000, 3124), (31000, 31059), (31100, 31129))
BATTERY_HOLDING_BLOCKS: Final = ((30300, 30305), (30400, 30474))
BATTERY_INPUT_BLOCKS: Final = ((3125, 3249), (31200, 31229))


class GrowattHybrid(PlainDevice):
    """Serves and obeys the registers of one inverter. `ends_by_itself`: the minutes of 30408 have an end."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        self._inverter = inverter
        self.ends_by_itself = True
        self._remote = Countdown()
        self._is_over = False
        self._last_asked_percent = 0.0
        battery = inverter.settings.battery
        self._settings = Settings([*_settings(), *(_battery_settings(battery) if battery else ())])
        cells = [*self._settings.cells(), *identity(inverter), *readings(inverter)]
        cells = reserve(reserve(cells, *HOLDING_BLOCKS), *INPUT_BLOCKS, inputs=True)
        if battery is not None:
            cells.append(Cell("last_asked_percent", 30474, lambda: self._last_asked_percent, I16, writable=True))
            cells = reserve(reserve(cells, *BATTERY_HOLDING_BLOCKS), *BATTERY_INPUT_BLOCKS, inputs=True)
        super().__init__(cells)
        self._obey()

    def refuses(self, written: Mapping[str, float]) -> ExceptionCode | None:
        """Exception 3 for a value out of its range."""
        return None if self._settings.accepts(_settings_of(written)) else ExceptionCode.ILLEGAL_VALUE

    def taken(self, written: Mapping[str, float]) -> None:
        """Take settings, which act at once; those of remote control renew its time."""
        self._settings.take(_settings_of(written))
        if not REMOTE.isdisjoint(written):
            self._is_over = False
            self._remote.start(self._settings["minutes"] * SECONDS_PER_MINUTE)
            if self._settings["remote"]:
                self._last_asked_percent = self._settings["asked_percent"]
        self._obey()

    def advance(self, dt_s: float) -> None:
        """Let remote control run out."""
        if self._remote.advance(dt_s) and self.ends_by_itself:
            self._is_over = True
        self._obey()

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: what is not stored is as it was made."""
        for name, value in NOT_STORED.items():
            if name not in REMOTE or self._inverter.settings.battery is not None:
                self._settings[name] = value
        self._remote.stop()
        self._is_over = False
        self._obey()

    def _obey(self) -> None:
        """Hand the registers in force to the physics."""
        percent = min(self._settings["limit_percent"], self._settings["passing_limit_percent"])
        controls = Controls(
            connected=bool(self._settings["running"]),
            ac_limit_watts=None if percent >= PERCENT.high else self._inverter.settings.ac_rating_watts * percent / 100,
        )
        battery = self._inverter.settings.battery
        self._inverter.controls = controls if battery is None else self._with_battery(battery, controls)

    def _with_battery(self, battery: BatterySimulation, controls: Controls) -> Controls:
        controls = replace(controls, reserve_percent=self._settings["discharge_ends_percent"])
        if self._settings["authority"] and self._settings["remote"] and not self._is_over:
            watts = rated_battery_watts(battery) * self._settings["asked_percent"] / 100
            controls = replace(controls, low_watts=watts, high_watts=watts, grid_charging=watts > 0)
        if (self._inverter.soc_percent or 0.0) < self._settings["charge_ends_percent"]:
            return controls
        low, high = controls.low_watts, controls.high_watts
        return replace(
            controls,
            low_watts=None if low is None else min(low, 0.0),
            high_watts=0.0 if high is None else min(high, 0.0),
        )


def _settings_of(written: Mapping[str, float]) -> Mapping[str, float]:
    return {name: value for name, value in written.items() if name != "last_asked_percent"}


def _settings() -> list[Setting]:
    return [
        Setting("authority", 30100, {0, 1}),
        Setting("running", 30101, {0, 1}, 1),
        Setting("limit_percent", 30151, PERCENT, 100),
        Setting("passing_limit_percent", 30154, PERCENT, 100),
        Setting("export_limited", 30200, {0, 1}),
        Setting("export_percent", 30201, SIGNED_PERCENT, 0, I16),
        Setting("export_failed_percent", 30202, PERCENT),
        Setting("ems_silence_s", 30203, Between(1, 300), 30),
        Setting("ems_watched", 30204, {0, 1}),
    ]


def _battery_settings(battery: BatterySimulation) -> list[Setting]:
    return [
        Setting("charge_ends_percent", 30404, CUT_OFF, 100),
        Setting("discharge_ends_percent", 30405, CUT_OFF, max(battery.reserve_percent, CUT_OFF.low)),
        Setting("load_first_ends_percent", 30406, CUT_OFF, CUT_OFF.low),
        Setting("remote", 30407, {0, 1}),
        Setting("minutes", 30408, Between(0, 1440)),
        Setting("asked_percent", 30409, SIGNED_PERCENT, 0, I16),
        Setting("charges_from_ac", 30410, {0, 1, 2}, int(battery.grid_charging_allowed)),
    ]
