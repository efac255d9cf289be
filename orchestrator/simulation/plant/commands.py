"""Commands taken straight by a simulated inverter, without registers: for closed loops in virtual time."""

from __future__ import annotations

from math import floor, inf

from msgspec.structs import replace

from orchestrator.commands import InverterCommand
from orchestrator.simulation.physics import Controls
from orchestrator.simulation.plant.inverter import SimulatedInverter


class CommandReceiver:
    """Does to one inverter what a driver's registers would do, revert times included.

    Registers and commands replace the same controls: where both are used, the last one counts. While
    `ignores_battery` is set, the battery part of commands has no effect; while `ignores_commands` is, nothing of them
    has, and revert times are not renewed.
    """

    def __init__(self, inverter: SimulatedInverter) -> None:
        self.ignores_battery = False
        self.ignores_commands = False
        self.next_revert_s = inf
        """When the next revert time is over; infinite while nothing will revert."""
        self._inverter = inverter
        self._limit_until_s = self._connect_until_s = self._battery_until_s = inf

    def apply(self, command: InverterCommand, now_s: float) -> None:
        """Obey from `now_s` on, for `valid_for_s`, then fall back to the device's own default."""
        self.obey(command, self.after(command), now_s)

    def obey(self, command: InverterCommand, controls: Controls, now_s: float) -> None:
        """The same where `controls` are what `command` leads to."""
        if self.ignores_commands:
            return
        self._inverter.controls = controls
        ends_s = now_s + command.valid_for_s
        reverts = command.ac_limit_watts is not None and command.ac_limit_reverts
        self._limit_until_s = ends_s if reverts else inf
        if command.connect is not None:
            self._connect_until_s = inf if command.connect else ends_s
        if self._takes_battery(command):
            self._battery_until_s = ends_s
        self._find_next_revert()

    def after(self, command: InverterCommand) -> Controls:
        """The controls that `command` leads to: the same record where it changes nothing."""
        before, battery = self._inverter.controls, command.battery
        if self.ignores_commands:
            return before
        low_watts, high_watts, grid_charging = before.low_watts, before.high_watts, before.grid_charging
        if battery is not None and self._takes_battery(command):
            low_watts, high_watts = battery.low_watts, battery.high_watts
            found = self._inverter.found_grid_charging
            grid_charging = found if battery.grid_charging is None else battery.grid_charging
        connected = before.connected if command.connect is None else command.connect
        limit_watts = self._in_steps(command.ac_limit_watts)
        if (connected, limit_watts, low_watts, high_watts, grid_charging) == (
            before.connected,
            before.ac_limit_watts,
            before.low_watts,
            before.high_watts,
            before.grid_charging,
        ):
            return before
        return Controls(
            connected=connected,
            ac_limit_watts=limit_watts,
            low_watts=low_watts,
            high_watts=high_watts,
            grid_charging=grid_charging,
            reserve_percent=before.reserve_percent,
        )

    def forget(self) -> None:
        """Lose all that it was told, as when a control board starts anew: its own default, and no timer runs."""
        self._inverter.controls = self._inverter.default_controls()
        self._limit_until_s = self._connect_until_s = self._battery_until_s = inf
        self._find_next_revert()

    def revert(self, now_s: float) -> None:
        """Put back what is due at `now_s`."""
        if now_s >= self._limit_until_s:
            self._limit_until_s = inf
            self._inverter.controls = replace(self._inverter.controls, ac_limit_watts=None)
        if now_s >= self._connect_until_s:
            self._connect_until_s = inf
            self._inverter.controls = replace(self._inverter.controls, connected=True)
        if now_s >= self._battery_until_s:
            self._battery_until_s = inf
            self._inverter.controls = replace(self._inverter.controls, low_watts=None, high_watts=None)
        self._find_next_revert()

    def _in_steps(self, limit_watts: float | None) -> float | None:
        """The limit as the device can be set to it, rounded down as by a driver."""
        step_watts = self._inverter.limit_step_watts
        if limit_watts is None or not step_watts:
            return limit_watts
        return step_watts * floor(limit_watts / step_watts + 1e-6)

    def _find_next_revert(self) -> None:
        self.next_revert_s = min(self._limit_until_s, self._connect_until_s, self._battery_until_s)

    def _takes_battery(self, command: InverterCommand) -> bool:
        has_battery = self._inverter.settings.battery is not None
        return command.battery is not None and has_battery and not self.ignores_battery
