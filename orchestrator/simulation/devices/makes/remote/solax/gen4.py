"""A SolaX X3-Hybrid G4 (Qcells Q.HOME ESS HYB-G3 and others): readings in input registers, low word first.

From the "Hybrid X1/X3-G4 Modbus TCP & RTU Communication Protocol" V3.34 and V3.36, "SolaX_VPP function Definition of
ESS" of its knowledge base, wills106/homeassistant-solax-modbus (plugin_solax, pages on modes 1 and 8, pull request
2163, issues 1449 and 2266), evcc's template solax, and SolaxHub. Battery power is + charging. The rules:
- A holding register that is written is another one than that of the same address that is read: who reads 0x7C to 0x8A
  sees versions and a clock. What the remote control does is shown in input registers from 0x100 on.
- It is locked after it starts: everything but the password (0x0000: 2014, 6868) is refused, with exception 4 as seen on
  a G4. Input register 0x54 says it. Some firmware (DSP 1.52) takes 2014 back after seconds, and needs 6868.
- The remote control is one block, by function 16 alone: 0x7C to 0x88 in mode 1, to 0x8A in modes 4 to 7, 0xA0 to
  0xA7 in mode 8. A shorter one is refused here (exception 3); early firmware takes 0x7C to 0x82. Mode 0 may come alone.
- Mode 1 is about the AC port, + drawing: the battery gets what the PV makes beside it, and PV that fits neither is
  lost. The load of the house is not part of it. Modes 4 and 8 are battery power, + DISCHARGING; 8 limits PV too. 5 is
  0 W, 6 its own self-consumption, 7 the same without discharge.
- Mode 1 ends after its duration and its time-out together: with 0 s in both it never begins. Modes 4 to 8 end after
  the time-out, and never with 0; the duration of mode 8 was seen to be ignored.
- While it is remotely controlled the minimum SoC of its own modes does not count.
- The AC limit (0x11, whole percents), currents, minimum SoC and work mode are kept in EEPROM. The export limit (0x42)
  works on the make's own meter, which is not here: it is kept, and limits nothing.
Doubtful: the texts of factory and module; what a block that is too short really does; modes 2 and 3 are not simulated
and refused. Work modes other than manual are all its own default here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from msgspec.structs import replace

from orchestrator.simulation.devices.makes.remote.solax.readings import nameplate, readings
from orchestrator.simulation.devices.plain.apart import ApartDevice
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import Cell, input_cell
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.plain.words import I32, U32
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS
from orchestrator.simulation.physics import Controls, to_ac, to_dc
from orchestrator.simulation.plant.countdown import Countdown
from orchestrator.simulation.plant.inverter import SimulatedInverter

LOCKED, UNLOCKED, UNLOCKED_ADVANCED = 0, 1, 2
PASSWORDS: Final = {2014: UNLOCKED, 6868: UNLOCKED_ADVANCED}
MANUAL = 3
MANUAL_STOP, MANUAL_CHARGE, MANUAL_DISCHARGE = 0, 1, 2
LEAST_MIN_SOC_PERCENT = 10.0
MOST_AMPS = 30.0
BLOCK, BLOCK_8 = range(0x007C, 0x008B), range(0x00A0, 0x00A8)
WORD, LONG = Between(0, 0xFFFF), Between(-(2**31), 2**32)


class Mode(IntEnum):
    """0x7C or 0xA0, the modes that are simulated."""

    DISABLED = 0
    AC_POWER = 1
    PUSH_POWER = 4
    PUSH_ZERO = 5
    SELF_CONSUME = 6
    CHARGE_ONLY = 7
    PV_AND_BATTERY = 8


LAST_OF: Final = {Mode.AC_POWER: "timeout_s", Mode.PV_AND_BATTERY: "timeout_8_s"}
"""The last value of the block of a mode; of all others, `push_watts`."""


class SolaxGen4(ApartDevice):
    """Serves and obeys the registers of one inverter."""

    single_writes = range(0x007C)
    block_writes = (*BLOCK, *BLOCK_8)

    def __init__(self, inverter: SimulatedInverter) -> None:
        self._inverter = inverter
        self._lock = LOCKED
        self._mode = Mode.DISABLED
        self._ends = Countdown()
        self._settings = Settings([*_kept(inverter), *(_remote() if inverter.settings.battery else ())])
        shown = [*nameplate(inverter), *readings(inverter), *self._shown()]
        shown = reserve(reserve(shown, (0x0000, 0x0177)), (0x0000, 0x0121), inputs=True)
        password = Cell("password", 0x0000, lambda: 0, writable=True)
        super().__init__(shown, [password, *self._settings.cells()], little=True)
        self._obey()

    def refuses(self, written: Mapping[str, float]) -> ExceptionCode | None:
        """Exception 4 while it is locked, 3 for a value out of its range and for a block that is not whole."""
        if "password" in written:
            return None
        if self._lock == LOCKED:
            return ExceptionCode.DEVICE_FAILURE
        fits = self._settings.accepts(written) and _is_whole(written)
        return None if fits else ExceptionCode.ILLEGAL_VALUE

    def taken(self, written: Mapping[str, float]) -> None:
        """Take the password, settings, or a block of the remote control, whose time begins."""
        if "password" in written:
            self._lock = PASSWORDS.get(int(written["password"]), LOCKED)
            return
        self._settings.take(written)
        if "mode" in written or "mode_8" in written:
            self._begin(Mode(int(written.get("mode", written.get("mode_8", 0)))))
        self._obey()

    def advance(self, dt_s: float) -> None:
        """Let the remote control run out, and follow the PV."""
        if self._ends.advance(dt_s):
            self._mode = Mode.DISABLED
        self._obey()

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: locked, in its own mode."""
        self._lock = LOCKED
        self._begin(Mode.DISABLED)
        self._obey()

    def _begin(self, mode: Mode) -> None:
        lasts_s, never_ends = 0.0, False
        if mode is Mode.AC_POWER:
            lasts_s = self._settings["duration_s"] + self._settings["timeout_s"]
        elif mode is not Mode.DISABLED:
            lasts_s = self._settings["timeout_8_s" if mode is Mode.PV_AND_BATTERY else "timeout_s"]
            never_ends = lasts_s == 0
        self._mode = mode if lasts_s > 0 or never_ends else Mode.DISABLED
        self._ends.start(lasts_s)

    def _shown(self) -> list[Cell]:
        """What it was told, where it is read."""
        cells = [
            Cell("ac_limit_percent_shown", 0x0025, lambda: self._settings["ac_limit_percent"]),
            Cell("export_limit_shown_watts", 0x00B6, lambda: self._settings["export_limit_watts"], gain=10),
            input_cell("lock", 0x0054, lambda: self._lock),
        ]
        if self._inverter.settings.battery is None:
            return cells
        return [
            *cells,
            Cell("use_mode_shown", 0x008B, lambda: self._settings["use_mode"]),
            Cell("manual_mode_shown", 0x008C, lambda: self._settings["manual_mode"]),
            Cell("charge_max_amps_shown", 0x0090, lambda: self._settings["charge_max_amps"], gain=0.1),
            Cell("discharge_max_amps_shown", 0x0091, lambda: self._settings["discharge_max_amps"], gain=0.1),
            Cell("soc_min_percent_shown", 0x0093, lambda: 256 * self._settings["soc_min_percent"]),
            input_cell("mode_shown", 0x0100, lambda: self._mode),
            input_cell("target_watts", 0x0102, self._target_watts, I32),
            input_cell("real_watts", 0x0106, lambda: -self._inverter.state.ac_watts, I32),
            input_cell("duration_shown_s", 0x011A, lambda: self._settings["duration_s"]),
            input_cell("timeout_shown_s", 0x011E, lambda: self._settings["timeout_s"]),
        ]

    def _target_watts(self) -> float:
        return self._settings["ac_draw_watts"] if self._mode is Mode.AC_POWER else 0.0

    def _obey(self) -> None:
        """Hand what is in force to the physics."""
        limit_watts = self._inverter.settings.ac_rating_watts * self._settings["ac_limit_percent"] / 100
        limit = None if self._settings["ac_limit_percent"] == 100 else limit_watts
        controls = replace(self._inverter.default_controls(), ac_limit_watts=limit)
        if self._inverter.settings.battery is not None:
            controls = self._own(controls) if self._mode is Mode.DISABLED else self._remotely(controls)
            most, least = self._settings["charge_max_amps"], -self._settings["discharge_max_amps"]
            controls = _within(controls, least * BATTERY_VOLTS, most * BATTERY_VOLTS)
        self._inverter.controls = controls

    def _own(self, controls: Controls) -> Controls:
        """The work mode of the device."""
        controls = self._self_use(controls)
        if self._settings["use_mode"] != MANUAL:
            return controls
        most_watts = MOST_AMPS * BATTERY_VOLTS
        watts = {MANUAL_CHARGE: most_watts, MANUAL_DISCHARGE: -most_watts}.get(int(self._settings["manual_mode"]), 0.0)
        return _exactly(controls, watts)

    def _self_use(self, controls: Controls) -> Controls:
        return replace(controls, grid_charging=False, reserve_percent=self._settings["soc_min_percent"])

    def _remotely(self, controls: Controls) -> Controls:
        if self._mode in (Mode.SELF_CONSUME, Mode.CHARGE_ONLY):
            low_watts = 0.0 if self._mode is Mode.CHARGE_ONLY else None
            return replace(self._self_use(controls), low_watts=low_watts)
        controls = replace(controls, reserve_percent=0.0)
        if self._mode is Mode.AC_POWER:
            return self._at_ac(controls)
        if self._mode is Mode.PV_AND_BATTERY:
            return self._with_pv_limit(controls)
        return _exactly(controls, -self._settings["push_watts"] if self._mode is Mode.PUSH_POWER else 0.0)

    def _at_ac(self, controls: Controls) -> Controls:
        """AC power is what was asked; the battery makes up for the PV."""
        ac_watts = -self._settings["ac_draw_watts"]
        battery_watts = self._inverter.state.pv_available_watts - to_dc(self._inverter.settings, ac_watts)
        controls = _exactly(_with_ac_limit(controls, max(ac_watts, 0.0)), battery_watts)
        return replace(controls, grid_charging=ac_watts < 0)

    def _with_pv_limit(self, controls: Controls) -> Controls:
        """Battery power is what was asked, and no more PV than its limit reaches AC beside it."""
        battery_watts = -self._settings["push_watts_8"]
        ac_watts = to_ac(self._inverter.settings, self._settings["pv_limit_watts"] - battery_watts)
        return _exactly(_with_ac_limit(controls, max(ac_watts, 0.0)), battery_watts)


def _is_whole(written: Mapping[str, float]) -> bool:
    """Whether what is written of the remote control is all that its mode needs."""
    remote = {setting.name for setting in _remote()}
    if remote.isdisjoint(written):
        return True
    mode = written.get("mode", written.get("mode_8"))
    return mode == Mode.DISABLED or (mode is not None and LAST_OF.get(Mode(int(mode)), "push_watts") in written)


def _exactly(controls: Controls, watts: float) -> Controls:
    return replace(controls, low_watts=watts, high_watts=watts, grid_charging=watts > 0)


def _with_ac_limit(controls: Controls, watts: float) -> Controls:
    limit_watts = controls.ac_limit_watts
    return replace(controls, ac_limit_watts=watts if limit_watts is None else min(watts, limit_watts))


def _within(controls: Controls, low_watts: float, high_watts: float) -> Controls:
    """The same controls inside the currents that are set."""
    low, high = controls.low_watts, controls.high_watts
    return replace(
        controls,
        low_watts=low_watts if low is None else min(max(low, low_watts), high_watts),
        high_watts=high_watts if high is None else max(min(high, high_watts), low_watts),
    )


def _kept(inverter: SimulatedInverter) -> list[Setting]:
    """What is kept in EEPROM, where it is written."""
    battery = inverter.settings.battery
    limits = [
        Setting("ac_limit_percent", 0x0011, Between(0, 100), 100),
        Setting("export_limit_watts", 0x0042, Between(0, 300_000), inverter.settings.ac_rating_watts, gain=10),
    ]
    if battery is None:
        return limits
    soc_min_percent = max(battery.reserve_percent, LEAST_MIN_SOC_PERCENT)
    return [
        *limits,
        Setting("use_mode", 0x001F, Between(0, 5), 0),
        Setting("manual_mode", 0x0020, {MANUAL_STOP, MANUAL_CHARGE, MANUAL_DISCHARGE}, MANUAL_STOP),
        Setting("charge_max_amps", 0x0024, Between(0, MOST_AMPS), MOST_AMPS, gain=0.1),
        Setting("discharge_max_amps", 0x0025, Between(0, MOST_AMPS), MOST_AMPS, gain=0.1),
        Setting("soc_min_percent", 0x0061, Between(LEAST_MIN_SOC_PERCENT, 100), soc_min_percent),
    ]


def _remote() -> list[Setting]:
    """The two blocks of the remote control."""
    return [
        Setting("mode", BLOCK[0], frozenset(Mode) - {Mode.PV_AND_BATTERY}),
        Setting("set_type", 0x007D, {0, 1, 2}),
        Setting("ac_draw_watts", 0x007E, LONG, 0, I32),
        Setting("reactive_vars", 0x0080, LONG, 0, I32),
        Setting("duration_s", 0x0082, WORD),
        Setting("target_soc_percent", 0x0083, Between(0, 100)),
        Setting("target_wh", 0x0084, LONG, 0, U32),
        Setting("target_watts", 0x0086, LONG, 0, I32),
        Setting("timeout_s", 0x0088, WORD),
        Setting("push_watts", 0x0089, LONG, 0, I32),
        Setting("mode_8", BLOCK_8[0], {Mode.DISABLED, Mode.PV_AND_BATTERY}),
        Setting("set_type_8", 0x00A1, {0, 1, 2}),
        Setting("pv_limit_watts", 0x00A2, LONG, 0, U32),
        Setting("push_watts_8", 0x00A4, LONG, 0, I32),
        Setting("duration_8_s", 0x00A6, WORD),
        Setting("timeout_8_s", 0x00A7, WORD),
    ]
