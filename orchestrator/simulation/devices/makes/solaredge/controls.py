"""What a SolarEdge StorEdge inverter obeys: its storage control at 0xE004, and its dynamic power control at 0xF300.

From "Power Control Open Protocol for SolarEdge Inverters" 1.3 (storage in its appendix B) and the application note
"Dynamic Active/Reactive Power and Power Factor Control Over Modbus" 1.1.1. What neither says is read strictly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from orchestrator.config.simulation import BatterySimulation
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.plant.countdown import Countdown

SECONDS_PER_MINUTE = 60.0
REMOTE = 4
RESTS, CLIPPED_PV, PV_FIRST, PV_AND_AC, MAX_EXPORT, MIN_IMPORT, SELF_CONSUMPTION = 0, 1, 2, 3, 4, 5, 7
MODES = frozenset({RESTS, CLIPPED_PV, PV_FIRST, PV_AND_AC, MAX_EXPORT, MIN_IMPORT, SELF_CONSUMPTION})
ALWAYS_FROM_AC = 1
LONGEST_TIMEOUT_S = 86400


class StorageControl:
    """Mode and limits of the battery. Commands count in control mode 4 (remote) only.

    - Going to remote control begins with the default mode: a command that was written before is lost.
    - Writing the command mode starts its time-out; then the default mode and the greatest limits are back.
    - Limits act at once, and do not restart the time.
    """

    def __init__(self, battery: BatterySimulation) -> None:
        self._greatest = {"charge_limit": battery.charge_watts, "discharge_limit": battery.discharge_watts}
        self._timeout = Countdown()
        self.values: dict[str, float] = {
            "control_mode": 1,
            "ac_charge_policy": ALWAYS_FROM_AC if battery.grid_charging_allowed else 0,
            "ac_charge_limit": 0.0,
            "backup_reserve": battery.reserve_percent,
            "default_mode": RESTS,
            "command_timeout": 3600,
            "command_mode": SELF_CONSUMPTION,
            **self._greatest,
        }

    @property
    def remote(self) -> bool:
        """Whether commands count."""
        return self.values["control_mode"] == REMOTE

    @property
    def charges_from_ac(self) -> bool:
        """Whether the battery charges from AC now: the mode wants it, and the policy allows it."""
        wanted = self.remote and self.values["command_mode"] == PV_AND_AC
        return wanted and self.values["ac_charge_policy"] == ALWAYS_FROM_AC

    def window(self, clipped_watts: float) -> tuple[float | None, float | None]:
        """What battery power (charging +) is kept in; `clipped_watts` is the PV that AC cannot take."""
        if self.values["control_mode"] == 0:
            return 0.0, 0.0
        if not self.remote:
            return None, None
        charge_watts, discharge_watts = self.values["charge_limit"], self.values["discharge_limit"]
        windows = {
            CLIPPED_PV: (0.0, min(clipped_watts, charge_watts)),
            PV_FIRST: (0.0, charge_watts),
            PV_AND_AC: (charge_watts, charge_watts),
            MAX_EXPORT: (-discharge_watts, -discharge_watts),
            SELF_CONSUMPTION: (-discharge_watts, charge_watts),
        }
        # Without SolarEdge's own meter there is no import that discharging could lessen.
        return windows.get(int(self.values["command_mode"]), (0.0, 0.0))

    def refuses(self, name: str, value: float) -> ExceptionCode | None:
        """Why a value is not accepted."""
        if math.isinf(value):
            return ExceptionCode.DEVICE_FAILURE
        allowed = {
            "control_mode": value in range(5),
            "ac_charge_policy": value in range(4),
            "backup_reserve": 0 <= value <= 100,
            "default_mode": value in MODES,
            "command_mode": value in MODES,
            "command_timeout": 0 <= value <= LONGEST_TIMEOUT_S,
        }
        return None if allowed.get(name, value >= 0) else ExceptionCode.ILLEGAL_VALUE

    def write(self, written: Mapping[str, float]) -> None:
        """Take values that `refuses` let through."""
        was_remote = self.remote
        self.values.update(written)
        if not self.remote:
            self._timeout.stop()
        elif not was_remote:
            self._fall_back()
            self._timeout.stop()
        elif "command_mode" in written:
            self._timeout.start(self.values["command_timeout"])

    def restart(self) -> None:
        """The default mode is back; what is in flash stays."""
        self._timeout.stop()
        self._fall_back()

    def advance(self, dt_s: float) -> None:
        """Let the time-out run for `dt_s`."""
        if self._timeout.advance(dt_s):
            self._fall_back()

    def _fall_back(self) -> None:
        self.values.update(self._greatest)
        self.values["command_mode"] = self.values["default_mode"]


class DynamicPowerControl:
    """The AC limit in percent of the rating. It acts only while enabled, and moves no faster than its ramps.

    Writing the limit, or enabling it, starts the time-out; then the fallback takes its place. Ramps are in percent per
    minute, -1 is none; a device as delivered has 5. While advanced power control is not allowed (0xF142 is 0),
    writes are taken and shown, and nothing happens.
    """

    def __init__(self) -> None:
        self._timeout = Countdown()
        self.percent = 100.0
        self.values: dict[str, float] = {
            "advanced_power_control": 1,
            "enable_dynamic_control": 0,
            "limit_timeout": 60,
            "fallback_limit": 100.0,
            "ramp_up": 5.0,
            "ramp_down": 5.0,
            "dynamic_limit": 100.0,
        }

    @property
    def enabled(self) -> bool:
        """Whether the limit acts."""
        return self.values["enable_dynamic_control"] == 1 and self.values["advanced_power_control"] == 1

    def refuses(self, name: str, value: float) -> ExceptionCode | None:
        """Why a value is not accepted."""
        allowed = {
            "enable_dynamic_control": value in (0, 1),
            "advanced_power_control": value in (0, 1),
            "limit_timeout": value >= 0,
            "ramp_up": value == -1 or 0 <= value <= 100,
            "ramp_down": value == -1 or 0 <= value <= 100,
        }
        return None if allowed.get(name, 0 <= value <= 100) else ExceptionCode.ILLEGAL_VALUE

    def write(self, written: Mapping[str, float]) -> None:
        """Take values that `refuses` let through."""
        self.values.update(written)
        if not self.enabled:
            self._timeout.stop()
            self.percent = 100.0
        elif {"dynamic_limit", "enable_dynamic_control"} & written.keys():
            self._timeout.start(self.values["limit_timeout"])

    def restart(self) -> None:
        """No limit is in force."""
        self._timeout.stop()
        self.values |= {"enable_dynamic_control": 0, "dynamic_limit": 100.0}
        self.percent = 100.0

    def advance(self, dt_s: float) -> None:
        """Let the time-out and the ramp run for `dt_s`."""
        if self._timeout.advance(dt_s):
            self.values["dynamic_limit"] = self.values["fallback_limit"]
        if self.enabled:
            self.percent = self._ramped(self.values["dynamic_limit"], dt_s)

    def _ramped(self, goal_percent: float, dt_s: float) -> float:
        rate = self.values["ramp_up" if goal_percent > self.percent else "ramp_down"]
        if rate < 0:
            return goal_percent
        step_percent = rate * dt_s / SECONDS_PER_MINUTE
        return min(max(goal_percent, self.percent - step_percent), self.percent + step_percent)
