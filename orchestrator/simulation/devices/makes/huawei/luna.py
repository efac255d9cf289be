"""A Huawei SUN2000 with a LUNA2000 battery: all in holding registers, high word first.

From the "Solar Inverter Modbus Interface Definitions" (V3.0 and later) and what is known of it in the field. Battery
power is + charging. The rules:
- Forced charging (1) and discharging (2) begin when 47100 is written, with the power (47247, 47249), the minutes
  (47083) and the target (47246) of that moment: what is written to those later waits for the next write of 47100.
- By time (47246 = 0) it ends after its minutes, 47100 is 0 again and the battery has its own default; with 0 minutes
  it ends at once. By state of charge (47246 = 1) it ends when 47101 is reached, and never by time.
- Charging from AC needs 47087 = 1; without it the PV alone charges, also when charging is forced.
- The most that is charged and discharged (47075, 47077) bounds every state, and has no time-out.
- The AC limit is the derating that was written last, in percent (40125) or W (40126); it has no time-out.
- Values out of range are refused with exception 3, registers that the document does not name with exception 2.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from orchestrator.config.simulation import BatterySimulation
from orchestrator.simulation.devices.makes.huawei.readings import readings
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import PlainDevice
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.plain.words import I16, U32
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.plant.countdown import Countdown
from orchestrator.simulation.plant.inverter import SimulatedInverter

STOP, CHARGE, DISCHARGE = 0, 1, 2
BY_TIME, BY_SOC = 0, 1
SECONDS_PER_MINUTE = 60.0
LONGEST_MINUTES = 1440
CUT_OFF_MOST_PERCENT = 20.0
PERCENT, WATTS = "derating_percent", "derating_watts"


class HuaweiLuna(PlainDevice):
    """Serves and obeys the registers of one inverter."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        self._inverter = inverter
        self._period = Countdown()
        self._forced_watts = 0.0
        self._target_percent: float | None = None
        self._limited_by = WATTS
        battery = inverter.settings.battery
        self._settings = Settings([*_limit_settings(inverter), *(_battery_settings(battery) if battery else ())])
        blocks = (
            (30000, 30085),
            (32000, 32089),
            (37100, 37138),
            *(((37000, 37068), (37758, 37787)) if battery else ()),
        )
        super().__init__(reserve([*self._settings.cells(), *readings(inverter)], *blocks))
        self._obey()

    def refuses(self, written: Mapping[str, float]) -> ExceptionCode | None:
        """Exception 3 for a value out of its range."""
        return None if self._settings.accepts(written) else ExceptionCode.ILLEGAL_VALUE

    def taken(self, written: Mapping[str, float]) -> None:
        """Take settings; a written 47100 begins, renews or ends the forced state."""
        self._settings.take(written)
        for derating in (PERCENT, WATTS):
            if derating in written:
                self._limited_by = derating
        if "forced" in written:
            self._force()
        self._obey()

    def advance(self, dt_s: float) -> None:
        """Let the minutes run, and see whether a target is reached."""
        if self._inverter.settings.battery is None or self._settings["forced"] == STOP:
            return
        if self._period.advance(dt_s) or self._target_reached():
            self._settings["forced"] = STOP
            self._force()
            self._obey()

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: nothing is forced. What is in its memory stays."""
        if self._inverter.settings.battery is not None:
            self._settings["forced"] = STOP
            self._force()
        self._obey()

    def _force(self) -> None:
        """Let what 47100 says begin, with the settings of this moment."""
        by_time, minutes = self._settings["target"] == BY_TIME, self._settings["minutes"]
        if by_time and minutes == 0:
            self._settings["forced"] = STOP
        forced = self._settings["forced"]
        self._target_percent = None if by_time else self._settings["target_soc_percent"]
        self._forced_watts = {
            CHARGE: self._settings["forced_charge_watts"],
            DISCHARGE: -self._settings["forced_discharge_watts"],
        }.get(int(forced), 0.0)
        self._period.start(minutes * SECONDS_PER_MINUTE if by_time and forced != STOP else 0)

    def _target_reached(self) -> bool:
        soc_percent = self._inverter.soc_percent
        if self._target_percent is None or soc_percent is None:
            return False
        charges = self._settings["forced"] == CHARGE
        return soc_percent >= self._target_percent if charges else soc_percent <= self._target_percent

    def _obey(self) -> None:
        """Hand the registers in force to the physics."""
        controls = replace(self._inverter.controls, ac_limit_watts=self._ac_limit_watts())
        if self._inverter.settings.battery is not None:
            low_watts, high_watts = self._window()
            controls = replace(
                controls,
                low_watts=low_watts,
                high_watts=high_watts,
                grid_charging=self._settings["charge_from_grid"] == 1,
                reserve_percent=self._settings["discharge_cut_off_percent"],
            )
        self._inverter.controls = controls

    def _ac_limit_watts(self) -> float | None:
        rating_watts = self._inverter.settings.ac_rating_watts
        by_percent_watts = rating_watts * self._settings[PERCENT] / 100
        limit_watts = by_percent_watts if self._limited_by == PERCENT else self._settings[WATTS]
        return limit_watts if limit_watts < rating_watts else None

    def _window(self) -> tuple[float, float]:
        """What battery power (charging +) is held in, in W."""
        low_watts, high_watts = -self._settings["discharge_max_watts"], self._settings["charge_max_watts"]
        if self._settings["forced"] == STOP:
            return low_watts, high_watts
        watts = min(max(self._forced_watts, low_watts), high_watts)
        return watts, watts


def _limit_settings(inverter: SimulatedInverter) -> list[Setting]:
    rating_watts = inverter.settings.ac_rating_watts
    return [
        Setting(PERCENT, 40125, Between(0, 100), 100, I16, gain=0.1),
        Setting(WATTS, 40126, Between(0, rating_watts), rating_watts, U32),
    ]


def _battery_settings(battery: BatterySimulation) -> list[Setting]:
    charge, discharge = Between(0, battery.charge_watts), Between(0, battery.discharge_watts)
    cut_off_percent = min(battery.reserve_percent, CUT_OFF_MOST_PERCENT)
    return [
        Setting("charge_max_watts", 47075, charge, battery.charge_watts, U32),
        Setting("discharge_max_watts", 47077, discharge, battery.discharge_watts, U32),
        Setting("discharge_cut_off_percent", 47082, Between(0, CUT_OFF_MOST_PERCENT), cut_off_percent, gain=0.1),
        Setting("minutes", 47083, Between(0, LONGEST_MINUTES)),
        Setting("charge_from_grid", 47087, {0, 1}, int(battery.grid_charging_allowed)),
        Setting("forced", 47100, {STOP, CHARGE, DISCHARGE}, STOP),
        Setting("target_soc_percent", 47101, Between(0, 100), gain=0.1),
        Setting("target", 47246, {BY_TIME, BY_SOC}, BY_TIME),
        Setting("forced_charge_watts", 47247, charge, 0, U32),
        Setting("forced_discharge_watts", 47249, discharge, 0, U32),
    ]
