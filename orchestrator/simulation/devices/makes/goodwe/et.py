"""A GoodWe ET hybrid: all in holding registers, high word first, unit 247.

From the "Modbus Protocol Hybrid ET EH BH BT" (to V1.9) and its table of EMS power modes (47511). Battery power and
current are + discharging. The rules:
- The mode and its power (47512) act when they are written, and for ever: there is no time-out.
- Charging with exactly the power that is set (11), and charging with all PV and up to that power from AC (2), need no
  permission to use AC. In the modes 2 (with 0 W) and 6 the PV alone charges, and nothing is discharged.
- Discharging is exactly the power that is set, in mode 3 and 12, as far as AC takes it. Where PV and battery do not fit
  under the AC rating, PV goes first in mode 3, and the battery in mode 12: then PV is throttled.
- Battery standby (8) is 0 W. In stop (255) no AC flows.
- The modes that need its own meter or no grid (4, 5, 7, 9, 10) are not simulated and refused, as other values are:
  exception 3.
- The export limit (47509, 47510) is kept, and limits nothing: it works on the make's own meter, which is not here.
  There is no AC limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from msgspec.structs import replace

from orchestrator.config.simulation import BatterySimulation
from orchestrator.simulation.devices.makes.goodwe.readings import readings
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import PlainDevice
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.plant.inverter import SimulatedInverter

MOST_WATTS = 10_000.0
"""The document's range of 47510 and 47512."""


class Mode(IntEnum):
    """47511, the modes that are simulated."""

    AUTO = 1
    CHARGE_PV = 2
    DISCHARGE_PV = 3
    CONSERVE = 6
    STANDBY = 8
    CHARGE_BATTERY = 11
    DISCHARGE_BATTERY = 12
    STOPPED = 255


class GoodweEt(PlainDevice):
    """Serves and obeys the registers of one inverter."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        self._inverter = inverter
        battery = inverter.settings.battery
        self._settings = Settings([*_export_settings(), *(_battery_settings(battery) if battery else ())])
        blocks = ((35000, 35032), (35100, 35224), *(((37000, 37023),) if battery else ()))
        super().__init__(reserve([*self._settings.cells(), *readings(inverter)], *blocks))
        self._obey()

    def refuses(self, written: Mapping[str, float]) -> ExceptionCode | None:
        """Exception 3 for a value out of its range."""
        return None if self._settings.accepts(written) else ExceptionCode.ILLEGAL_VALUE

    def taken(self, written: Mapping[str, float]) -> None:
        """Take settings, which act at once."""
        self._settings.take(written)
        self._obey()

    def advance(self, dt_s: float) -> None:  # noqa: ARG002
        """Follow the PV in the mode that adds power from AC to it."""
        if self._inverter.settings.battery is not None and self._settings["mode"] == Mode.CHARGE_PV:
            self._obey()

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: its own mode."""
        if self._inverter.settings.battery is not None:
            self._settings["mode"] = Mode.AUTO
        self._obey()

    def _obey(self) -> None:
        """Hand the registers in force to the physics."""
        if self._inverter.settings.battery is None:
            return
        mode = Mode(int(self._settings["mode"]))
        low_watts, high_watts = self._window(mode)
        self._inverter.controls = replace(
            self._inverter.controls,
            connected=mode is not Mode.STOPPED,
            low_watts=low_watts,
            high_watts=high_watts,
            grid_charging=mode in (Mode.CHARGE_PV, Mode.CHARGE_BATTERY) and self._settings["watts"] > 0,
            reserve_percent=100 - self._settings["discharge_depth_percent"],
            pv_gives_way=mode is Mode.DISCHARGE_BATTERY,
        )

    def _window(self, mode: Mode) -> tuple[float | None, float | None]:
        """What battery power (charging +) is held in, in W; None is left to the inverter."""
        watts = self._settings["watts"]
        if mode in (Mode.CHARGE_BATTERY, Mode.DISCHARGE_BATTERY, Mode.DISCHARGE_PV):
            exactly_watts = watts if mode is Mode.CHARGE_BATTERY else -watts
            return exactly_watts, exactly_watts
        if mode is Mode.CHARGE_PV:
            return self._pv_and(watts), None
        return {Mode.STANDBY: (0.0, 0.0), Mode.CONSERVE: (0.0, None)}.get(mode, (None, None))

    def _pv_and(self, from_ac_watts: float) -> float:
        """All the light allows and `from_ac_watts` drawn from AC, as they reach the battery; 0 without the latter."""
        efficiency = self._inverter.settings.efficiency_percent / 100
        return self._inverter.state.pv_available_watts + from_ac_watts * efficiency if from_ac_watts else 0.0


def _export_settings() -> list[Setting]:
    return [
        Setting("export_limited", 47509, {0, 1}),
        Setting("export_limit_watts", 47510, Between(0, MOST_WATTS)),
    ]


def _battery_settings(battery: BatterySimulation) -> list[Setting]:
    return [
        Setting("discharge_depth_percent", 45356, Between(0, 99), 100 - max(battery.reserve_percent, 1)),
        Setting("mode", 47511, frozenset(Mode), Mode.AUTO),
        Setting("watts", 47512, Between(0, MOST_WATTS)),
    ]
