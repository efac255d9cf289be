"""A Sungrow SH hybrid on its LAN port: running information in input registers, settings in holding registers.

From the "Communication Protocol of Residential Hybrid Inverter" (V1.1.2 to V1.1.11), whose registers count from 1: its
13050 is 13049 here. The low word of 32 bits comes first. Battery power at 5213 is + discharging; at 13021 it has no
sign, as in older firmware, or its own (`Firmware`). The rules:
- Command (13050) and power (13051) count in the modes forced (2), external EMS (3) and VPP (4) of 13049 only. Charging
  takes from AC what PV does not give: no permission is needed. Stop is 0 W, whatever the PV makes.
- Forced has no time-out. External EMS and VPP end, and the mode is self-consumption again, when the heartbeat (13079)
  has counted down to 0; it does so in the register. A mode that was never given a heartbeat ends after 20 s.
- Some units charge in pulses in external EMS (`pulses`): for one second in four, as an owner of an SH10RT saw.
- Most charging and discharging (33046, 33047, in 10 W) bound every mode. Discharging stops at the larger of the
  minimum SoC and the reserve.
- The AC limit (13088, 13089) has no time-out.
- A value out of range is refused with exception 4, as seen on a SH10RT, not with 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from orchestrator.simulation.devices.makes.sungrow.readings import (
    EXTERNAL_EMS,
    FORCED,
    Firmware,
    rated_battery_watts,
    readings,
)
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import Cell, PlainDevice
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.plant.countdown import Countdown
from orchestrator.simulation.plant.inverter import SimulatedInverter

SELF_CONSUMPTION, VPP = 0, 4
CHARGE, DISCHARGE, STOP = 0xAA, 0xBB, 0xCC
ON, OFF = 0xAA, 0x55
WITHOUT_HEARTBEAT_S: Final = 20.0
LEAST_WATTS: Final = 10.0
PULSE_S: Final = 1.0
PULSE_EVERY_S: Final = 4.0
BLOCKS: Final = ((4989, 5000), (5010, 5020), (5627, 5638), (12999, 13034))
"""Input registers that the document lists without a break."""


class SungrowSh(PlainDevice):
    """Serves and obeys the registers of one inverter."""

    def __init__(
        self, inverter: SimulatedInverter, *, firmware: Firmware = Firmware.FULL, pulses: bool = False
    ) -> None:
        self._inverter = inverter
        self._pulses = pulses
        self._pulse_at_s = 0.0
        self._heartbeat = Countdown()
        self._settings = Settings([*_limit_settings(), *_battery_settings(inverter)])
        named = [*self._settings.cells(), *readings(inverter, self._mode, firmware)]
        if inverter.settings.battery is not None:
            named.append(self._heartbeat_cell())
        super().__init__(reserve(named, *BLOCKS, inputs=True), little=True)
        self._obey()

    def refuses(self, written: Mapping[str, float]) -> ExceptionCode | None:
        """Exception 4 for a value out of its range."""
        seconds = written.get("heartbeat_s", 1)
        own = {name: value for name, value in written.items() if name != "heartbeat_s"}
        fits = self._settings.accepts(own) and 1 <= seconds <= 1000
        return None if fits else ExceptionCode.DEVICE_FAILURE

    def taken(self, written: Mapping[str, float]) -> None:
        """Take settings; a mode that needs a heartbeat starts to wait for it."""
        self._settings.take({name: value for name, value in written.items() if name != "heartbeat_s"})
        if "heartbeat_s" in written:
            self._heartbeat.start(written["heartbeat_s"])
        if self._needs_heartbeat() and self._heartbeat.left_s is None:
            self._heartbeat.start(WITHOUT_HEARTBEAT_S)
        self._obey()

    def advance(self, dt_s: float) -> None:
        """Count the heartbeat down."""
        self._pulse_at_s = (self._pulse_at_s + dt_s) % PULSE_EVERY_S
        if self._pulses:
            self._obey()
        if self._heartbeat.advance(dt_s) and self._needs_heartbeat():
            self._settings["mode"] = SELF_CONSUMPTION
            self._obey()

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: self-consumption. What is in its memory stays."""
        if self._inverter.settings.battery is not None:
            self._heartbeat.stop()
            self._settings["mode"] = SELF_CONSUMPTION
        self._obey()

    def _mode(self) -> int:
        return SELF_CONSUMPTION if self._inverter.settings.battery is None else int(self._settings["mode"])

    def _needs_heartbeat(self) -> bool:
        return self._mode() in (EXTERNAL_EMS, VPP)

    def _heartbeat_cell(self) -> Cell:
        return Cell("heartbeat_s", 13079, lambda: math.ceil(self._heartbeat.left_s or 0), writable=True)

    def _obey(self) -> None:
        """Hand the registers in force to the physics."""
        limited = self._settings["ac_limited"] == ON
        rating_watts = self._inverter.settings.ac_rating_watts
        controls = replace(
            self._inverter.controls,
            ac_limit_watts=rating_watts * self._settings["ac_limit_percent"] / 100 if limited else None,
        )
        if self._inverter.settings.battery is not None:
            low_watts, high_watts = self._window()
            controls = replace(
                controls,
                low_watts=low_watts,
                high_watts=high_watts,
                grid_charging=low_watts > 0,
                reserve_percent=max(self._settings["soc_min_percent"], self._settings["reserve_percent"]),
            )
        self._inverter.controls = controls

    def _window(self) -> tuple[float, float]:
        """What battery power (charging +) is held in, in W."""
        charge_watts, discharge_watts = self._settings["charge_max_watts"], self._settings["discharge_max_watts"]
        if self._mode() == SELF_CONSUMPTION:
            return -discharge_watts, charge_watts
        rests = self._pulses and self._mode() == EXTERNAL_EMS and self._pulse_at_s >= PULSE_S
        watts = {
            CHARGE: 0.0 if rests else min(self._settings["watts"], charge_watts),
            DISCHARGE: -min(self._settings["watts"], discharge_watts),
        }.get(int(self._settings["command"]), 0.0)
        return watts, watts


def _limit_settings() -> list[Setting]:
    return [
        Setting("ac_limited", 13088, {ON, OFF}, OFF),
        Setting("ac_limit_percent", 13089, Between(0, 100), 100, gain=0.1),
    ]


def _battery_settings(inverter: SimulatedInverter) -> list[Setting]:
    battery = inverter.settings.battery
    if battery is None:
        return []
    rated_watts = rated_battery_watts(battery)
    power = Between(LEAST_WATTS, rated_watts)
    return [
        Setting("mode", 13049, {SELF_CONSUMPTION, FORCED, EXTERNAL_EMS, VPP}, SELF_CONSUMPTION),
        Setting("command", 13050, {CHARGE, DISCHARGE, STOP}, STOP),
        Setting("watts", 13051, Between(0, rated_watts)),
        Setting("soc_min_percent", 13058, Between(0, 50), min(battery.reserve_percent, 50), gain=0.1),
        Setting("reserve_percent", 13099, Between(0, 100)),
        Setting("charge_max_watts", 33046, power, rated_watts, gain=10),
        Setting("discharge_max_watts", 33047, power, rated_watts, gain=10),
    ]
