"""What both generations of a FoxESS hybrid do: the remote control with its watchdog, work modes, currents, minimum SoC.

The rules, from nathanmarlor/foxess_modbus (remote_control_manager), evcc's pull requests 32228, 32301, 32302, 27752 and
template fox-ess-h3-smart, and the "Remote Control Definition V1.5" as solakon-de/solakon-one-homeassistant has it:
- Remote control is on while its register says so and its time-out has not passed since one of its registers was
  written. Then the register is 0 again, the power stays in its own, and the work mode counts.
- Power at the AC port, giving +: PV first, the battery gives what is missing. It does not charge beside it, so PV that
  does not fit is lost: with 0 W all of it, as seen on a H3 Smart. Drawing, the battery takes PV and what is drawn.
  The load of the house is not part of it.
- It keeps the minimum SoC (on grid) and the currents. The maximum SoC counts in its own modes only.
- Back-up does not discharge while the grid is there. Self-use and feed-in first are its own default here.
Doubtful: what a time-out of 0 s means (here: it is over at once, so it is written before the switch). Not simulated:
while it draws, real ones throttle PV before they draw less; and for some seconds they show the value that a register
had before it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from orchestrator.simulation.devices.plain.map import Cell, PlainDevice
from orchestrator.simulation.devices.plain.settings import Between, Settings
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.values import BATTERY_VOLTS
from orchestrator.simulation.physics import Controls, to_dc
from orchestrator.simulation.plant.countdown import Countdown
from orchestrator.simulation.plant.inverter import SimulatedInverter

OFF = 0
REMOTE: Final = frozenset({"remote", "timeout_s", "watts"})
MOST_AMPS = 50.0
SOC_RANGE: Final = Between(10, 100)
POWER_RANGE: Final = Between(-(2**31), 2**31 - 1)


class FoxessHybrid(PlainDevice):
    """Obeys the settings of either generation, which are called the same. `back_up` is the number of that work mode."""

    def __init__(self, inverter: SimulatedInverter, settings: Settings, cells: Iterable[Cell], *, back_up: int) -> None:
        super().__init__(cells)
        self._inverter = inverter
        self._settings = settings
        self._back_up = back_up
        self._watchdog = Countdown()
        self._obey()

    def refuses(self, written: Mapping[str, float]) -> ExceptionCode | None:
        """Exception 3 for a value out of its range."""
        return None if self._settings.accepts(written) else ExceptionCode.ILLEGAL_VALUE

    def taken(self, written: Mapping[str, float]) -> None:
        """Take settings; what belongs to the remote control keeps it alive."""
        self._settings.take(written)
        if not REMOTE.isdisjoint(written):
            self._keep_alive()
        self._obey()

    def advance(self, dt_s: float) -> None:
        """Let the watchdog run, and follow the PV."""
        if self._watchdog.advance(dt_s):
            self._settings["remote"] = OFF
        self._obey()

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: no remote control."""
        if self._inverter.settings.battery is not None:
            self._settings["remote"] = OFF
            self._watchdog.stop()
        self._obey()

    def seconds_left(self) -> float:
        """Until remote control ends by itself; 0 while it is off."""
        return self._watchdog.left_s or 0.0

    def controls_battery(self, remote: int) -> bool:  # noqa: ARG002
        """Whether this value of the register means battery power, not AC power."""
        return False

    def giving_watts(self, remote: int, watts: float) -> float:  # noqa: ARG002
        """What is asked for, giving +."""
        return watts

    def _keep_alive(self) -> None:
        on, timeout_s = self._settings["remote"] != OFF, self._settings["timeout_s"]
        if on and timeout_s == 0:
            self._settings["remote"] = OFF
        self._watchdog.start(timeout_s if on else 0)

    def _obey(self) -> None:
        """Hand what is in force to the physics."""
        if self._inverter.settings.battery is None:
            return
        remote = int(self._settings["remote"])
        reserve_percent = self._settings["soc_min_on_grid_percent"]
        controls = Controls(reserve_percent=reserve_percent)
        controls = self._own(controls) if remote == OFF else self._remotely(controls, remote)
        most = self._settings["charge_max_amps"] * BATTERY_VOLTS
        least = -self._settings["discharge_max_amps"] * BATTERY_VOLTS
        low, high = controls.low_watts, controls.high_watts
        self._inverter.controls = replace(
            controls,
            low_watts=least if low is None else min(max(low, least), most),
            high_watts=most if high is None else max(min(high, most), least),
        )

    def _own(self, controls: Controls) -> Controls:
        full = (self._inverter.soc_percent or 0.0) >= self._settings["soc_max_percent"]
        holds = self._settings["work_mode"] == self._back_up
        return replace(controls, low_watts=0.0 if holds else None, high_watts=0.0 if full else None)

    def _remotely(self, controls: Controls, remote: int) -> Controls:
        giving_watts = self.giving_watts(remote, self._settings["watts"])
        if self.controls_battery(remote):
            return replace(controls, low_watts=-giving_watts, high_watts=-giving_watts, grid_charging=giving_watts < 0)
        pv_watts = self._inverter.state.pv_available_watts
        battery_watts = pv_watts - to_dc(self._inverter.settings, giving_watts)
        if giving_watts >= 0:
            battery_watts = min(battery_watts, 0.0)
        return replace(
            controls,
            ac_limit_watts=max(giving_watts, 0.0),
            low_watts=battery_watts,
            high_watts=battery_watts,
            grid_charging=giving_watts < 0,
        )
