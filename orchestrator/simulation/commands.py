"""Commands taken straight by a simulated inverter, without registers: for closed loops in virtual time."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.commands import BatteryCommand, InverterCommand
from orchestrator.simulation.countdown import Countdown
from orchestrator.simulation.inverter import SimulatedInverter


class CommandReceiver:
    """Does to one inverter what a driver's registers would do, revert times included.

    Registers and commands replace the same controls: where both are used, the last one counts.
    """

    def __init__(self, inverter: SimulatedInverter) -> None:
        self._inverter = inverter
        self._limit_revert = Countdown()
        self._connect_revert = Countdown()
        self._battery_revert = Countdown()

    def apply(self, command: InverterCommand) -> None:
        """Obey from now on, for `valid_for_s`, then fall back to the device's own default."""
        self._apply_limit(command)
        if command.connect is not None:
            self._inverter.controls = replace(self._inverter.controls, connected=command.connect)
            self._connect_revert.start(0 if command.connect else command.valid_for_s)
        if command.battery is not None and self._inverter.settings.battery is not None:
            self._apply_battery(command.battery, command.valid_for_s)

    def advance(self, dt_s: float) -> None:
        """Let the revert timers run for `dt_s`."""
        if self._limit_revert.advance(dt_s):
            self._inverter.controls = replace(self._inverter.controls, ac_limit_watts=None)
        if self._connect_revert.advance(dt_s):
            self._inverter.controls = replace(self._inverter.controls, connected=True)
        if self._battery_revert.advance(dt_s):
            self._inverter.controls = replace(self._inverter.controls, low_watts=None, high_watts=None)

    def _apply_limit(self, command: InverterCommand) -> None:
        self._inverter.controls = replace(self._inverter.controls, ac_limit_watts=command.ac_limit_watts)
        reverts = command.ac_limit_watts is not None and command.ac_limit_reverts
        self._limit_revert.start(command.valid_for_s if reverts else 0)

    def _apply_battery(self, battery: BatteryCommand, valid_for_s: float) -> None:
        found = self._inverter.default_controls().grid_charging
        self._inverter.controls = replace(
            self._inverter.controls,
            low_watts=battery.low_watts,
            high_watts=battery.high_watts,
            grid_charging=found if battery.grid_charging is None else battery.grid_charging,
        )
        self._battery_revert.start(valid_for_s)
