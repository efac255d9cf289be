"""One simulated inverter on its own time line: what reaches it, and when, moves it on exactly to that moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf

from msgspec.structs import replace

from orchestrator.commands import InverterCommand
from orchestrator.simulation.plant.commands import CommandReceiver
from orchestrator.simulation.plant.inverter import SimulatedInverter

LONGEST_STEP_S = 1.0
"""The physics follows its goal exactly over a step, but the light and the battery's range change between steps."""


class InverterInTime:
    """An inverter, the commands on their way to it, and its revert timers.

    `light(at_s)` is the PV it could make, in W.
    """

    def __init__(self, inverter: SimulatedInverter, light: Callable[[float], float]) -> None:
        self.inverter = inverter
        self.receiver = CommandReceiver(inverter)
        self.now_s = 0.0
        self.tripped_until_s = -inf
        """Until then it is off the grid by itself, whatever it is told."""
        self._light = light
        self._coming: deque[tuple[float, InverterCommand]] = deque()

    def send(self, command: InverterCommand, arrives_at_s: float) -> None:
        """Let a command arrive later; commands never overtake each other."""
        last_s = self._coming[-1][0] if self._coming else self.now_s
        self._coming.append((max(arrives_at_s, last_s), command))

    def lose_commands(self) -> None:
        """What is on its way is lost with the connection."""
        self._coming.clear()

    def cut_power(self) -> None:
        """It makes nothing until `restore_power`. That it is not reached meanwhile is a fault of the network."""
        self.lose_commands()
        self.receiver.forget()
        self.inverter.controls = replace(self.inverter.controls, connected=False)

    def restore_power(self) -> None:
        """It starts with its own default: nothing of what it was told before."""
        self.receiver.forget()

    def advance_to(self, at_s: float) -> None:
        """Let time pass until `at_s`, stopping where a command arrives or a timer ends. The past is left alone."""
        while self._coming and self._coming[0][0] <= at_s:
            arrives_at_s, command = self._coming.popleft()
            self._pass_timers(arrives_at_s)
            # A repeated command changes nothing but the timers: the step need not be divided for it.
            controls = self.receiver.after(command)
            if controls is not self.inverter.controls:
                self._pass(arrives_at_s)
            self.receiver.obey(command, controls, arrives_at_s)
        if at_s > self.now_s:
            self._pass_timers(at_s)
            self._pass(at_s)

    def _pass_timers(self, at_s: float) -> None:
        while (revert_s := self.receiver.next_revert_s) <= at_s:
            self._pass(revert_s)
            self.receiver.revert(revert_s)

    def _pass(self, at_s: float) -> None:
        while (left_s := at_s - self.now_s) > 0:
            until_s = at_s if left_s <= LONGEST_STEP_S else self.now_s + LONGEST_STEP_S
            if self.now_s < self.tripped_until_s:
                self._pass_off_the_grid(until_s - self.now_s, self._light(until_s))
            else:
                self.inverter.advance(until_s - self.now_s, self._light(until_s))
            self.now_s = until_s

    def _pass_off_the_grid(self, dt_s: float, light_watts: float) -> None:
        told = self.inverter.controls
        self.inverter.controls = replace(told, connected=False)
        self.inverter.advance(dt_s, light_watts)
        self.inverter.controls = told
