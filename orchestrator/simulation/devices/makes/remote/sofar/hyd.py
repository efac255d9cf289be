"""A Sofar HYD 5 to 20 KTL-3PH or 3 to 6 EP (third generation): all in holding registers, high word first.

From wills106/homeassistant-solax-modbus (pages on Sofar's storage modes and entities, pull requests 745 and 754, issue
228), the library sofar-modbus, lambda-ger/sofar-hyd-ep-remote-control, evcc's template sofarsolar-g3 and issue 12220,
StephanJoubert/home_assistant_solarman issue 571. They cite "SOFAR-G3 External Modbus Protocol" V1.10. The rules:
- Everything is written with function 16, single registers too. Function 6 is not known (exception 1).
- Passive mode (0x1110 = 3) is about the GRID: power drawn there is brought to 0x1187 (+ drawing), as its own meter sees
  it, by a battery that is kept between 0x1189 and 0x118B (W, charging +). Where both are the same, that is what the
  battery does. PV that is left over is fed in, and AC is drawn for what the battery must have: no permission is needed.
  No load is behind its meter here but `load_watts`.
- The three powers are taken as one block of six registers, and so are time-out and action (0x1184), and switch and
  percents of the AC limit (0x1105): half of such a block is answered as if it were taken, and ignored.
- Least above most is refused (exception 3).
- The time-out (s, 0: never) starts anew with anything that is asked or told. Then it goes to standby (0: the battery
  rests), or back to the mode before passive mode (1). Delivered: never, standby.
- The AC limit (0x1106, 0.1 % of the rating) holds while bit 0 of 0x1105 is set. It has no time-out.
- The mode is kept when it starts anew, and so are the powers. 0x1104 = 0 switches the inverter off.
Doubtful: the unit of the rating (0x06ED); what standby is; how much of it all is written to EEPROM (most is, says one
page). Modes 1, 2, 4 and 5 are its own default here; the export limit (0x1023) is not simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from orchestrator.simulation.devices.makes.remote.sofar.readings import readings
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import READ_HOLDING, WRITE_MANY, PlainDevice
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.plain.words import I32
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import Words
from orchestrator.simulation.physics import Controls, to_dc
from orchestrator.simulation.plant.countdown import Countdown
from orchestrator.simulation.plant.inverter import SimulatedInverter

SELF_USE, PASSIVE = 0, 3
STANDBY, RETURN = 0, 1
ACTIVE_POWER = 1
TOGETHER: Final = (
    frozenset({"grid_watts", "least_watts", "most_watts"}),
    frozenset({"timeout_s", "timeout_action"}),
    frozenset({"limited", "limit_percent"}),
)
LONG: Final = Between(-(2**31), 2**31 - 1)
BLOCKS: Final = (
    (0x0404, 0x0453),
    (0x0484, 0x04BC),
    (0x0584, 0x0589),
    (0x0604, 0x060A),
    (0x0667, 0x0669),
    (0x0684, 0x069B),
    (0x1044, 0x105A),
    (0x1104, 0x110B),
    (0x1110, 0x1110),
    (0x1184, 0x118C),
)


class SofarHyd(PlainDevice):
    """Serves and obeys the registers of one inverter. `load_watts` is what its own meter sees beside it."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        self._inverter = inverter
        self.load_watts = 0.0
        self._silence = Countdown()
        self._before = SELF_USE
        self._stands_by = False
        self._settings = Settings([*_limit_settings(), *(_battery_settings() if inverter.settings.battery else ())])
        cells = [*self._settings.cells(), *readings(inverter, lambda: self.load_watts)]
        super().__init__(reserve(cells, *BLOCKS), functions=frozenset({READ_HOLDING, WRITE_MANY}))
        self._obey()

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """As of any plain device; it hears that somebody is there."""
        self._silence.restart()
        return super().read(address, count)

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        """As of any plain device; it hears that somebody is there."""
        self._silence.restart()
        return super().write(address, words, now_s)

    def refuses(self, written: Mapping[str, float]) -> ExceptionCode | None:
        """Exception 3 for a value out of its range, and for a battery window that is none."""
        fits = self._settings.accepts(written) and written.get("least_watts", 0) <= written.get("most_watts", 2**31)
        return None if fits else ExceptionCode.ILLEGAL_VALUE

    def taken(self, written: Mapping[str, float]) -> None:
        """Take what is whole; half a block is forgotten."""
        halves = {name for block in TOGETHER if not block <= written.keys() for name in block}
        whole = {name: value for name, value in written.items() if name not in halves}
        if whole.get("mode") == PASSIVE and self._settings["mode"] != PASSIVE:
            self._before = int(self._settings["mode"])
        self._settings.take(whole)
        if not whole.keys().isdisjoint({"mode", "timeout_s", "grid_watts"}):
            self._listen()
        self._obey()

    def advance(self, dt_s: float) -> None:
        """Let the silence grow, and follow the PV."""
        if self._silence.advance(dt_s):
            if self._settings["timeout_action"] == RETURN:
                self._settings["mode"] = self._before
            else:
                self._stands_by = True
        self._obey()

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: what it was told is kept in its memory."""
        if self._inverter.settings.battery is not None:
            self._listen()
        self._obey()

    def _listen(self) -> None:
        """From now on it wants to hear of somebody, in passive mode."""
        self._stands_by = False
        self._silence.start(self._settings["timeout_s"] if self._settings["mode"] == PASSIVE else 0)

    def _obey(self) -> None:
        """Hand the registers in force to the physics."""
        rating_watts = self._inverter.settings.ac_rating_watts
        limited = int(self._settings["limited"]) & ACTIVE_POWER
        controls = replace(
            self._inverter.default_controls(),
            connected=self._settings["switched_on"] == 1,
            ac_limit_watts=rating_watts * self._settings["limit_percent"] / 100 if limited else None,
            grid_charging=False,
        )
        if self._inverter.settings.battery is not None and self._settings["mode"] == PASSIVE:
            controls = self._passively(controls)
        self._inverter.controls = controls

    def _passively(self, controls: Controls) -> Controls:
        if self._stands_by:
            return replace(controls, low_watts=0.0, high_watts=0.0)
        ac_watts = self.load_watts - self._settings["grid_watts"]
        wish_watts = self._inverter.state.pv_available_watts - to_dc(self._inverter.settings, ac_watts)
        watts = min(max(wish_watts, self._settings["least_watts"]), self._settings["most_watts"])
        return replace(controls, low_watts=watts, high_watts=watts, grid_charging=True)


def _limit_settings() -> list[Setting]:
    return [
        Setting("switched_on", 0x1104, {0, 1}, 1),
        Setting("limited", 0x1105, Between(0, 0xFFFF)),
        Setting("limit_percent", 0x1106, Between(0, 100), 100, gain=0.1),
    ]


def _battery_settings() -> list[Setting]:
    return [
        Setting("mode", 0x1110, Between(0, 5), SELF_USE),
        Setting("timeout_s", 0x1184, Between(0, 0xFFFF)),
        Setting("timeout_action", 0x1185, {STANDBY, RETURN}, STANDBY),
        Setting("grid_watts", 0x1187, LONG, 0, I32),
        Setting("least_watts", 0x1189, LONG, 0, I32),
        Setting("most_watts", 0x118B, LONG, 0, I32),
    ]
