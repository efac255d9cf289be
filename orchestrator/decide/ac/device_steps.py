"""AC limits in the steps that devices can be set in: what one cannot be set to exactly, another makes up for.

A driver rounds a limit down, so that it is never exceeded by rounding. With several such inverters that would leave up
to a step of each unused: so what they lose together is given back, step by step, to those that can use it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec.structs import replace

from orchestrator.commands import InverterCommand
from orchestrator.decide.plant.units import Unit

COARSE_PART_OF_RATING = 0.002
"""Finer steps are not worth it: what they lose is less than noise."""

HAIR = 1e-6
"""So much of a step is rounding of a division."""


def in_steps(commands: Sequence[InverterCommand], units: Sequence[Unit]) -> list[InverterCommand]:
    """The same commands, with limits of throttled inverters in their steps. Their sum is the same to half a step."""
    limits = {command.inverter: command.ac_limit_watts for command in commands}
    coarse = [u for u in units if u.throttled and _is_coarse(u) and limits.get(u.name) is not None]
    if not coarse:
        return list(commands)
    floors = {u.name: _floor(limits[u.name] or 0.0, u.sample.ac_limit_step_watts) for u in coarse}
    lost = {u.name: (limits[u.name] or 0.0) - floors[u.name] for u in coarse}
    left_watts = math.fsum(lost.values())
    for unit in sorted(coarse, key=lambda u: (-lost[u.name], u.name)):
        step = unit.sample.ac_limit_step_watts
        if lost[unit.name] > HAIR * step and left_watts >= step / 2:
            floors[unit.name] += step
            left_watts -= step
    return [
        replace(command, ac_limit_watts=floors[command.inverter]) if command.inverter in floors else command
        for command in commands
    ]


def _is_coarse(unit: Unit) -> bool:
    return unit.sample.ac_limit_step_watts > COARSE_PART_OF_RATING * (unit.rating_watts or math.inf)


def _floor(watts: float, step_watts: float) -> float:
    return step_watts * math.floor(watts / step_watts + HAIR)
