"""AC limits in the steps that devices can be set in: what one cannot be set to exactly, another makes up for.

A driver rounds a limit down, so that it is never exceeded by rounding. With several such inverters that would leave up
to a step of each unused: so what they lose together is given back, step by step, to those that can use it. Coarse steps
come first, and leave to finer ones what these can use: so it is the finest step that decides what is left in the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec.structs import replace

from orchestrator.commands import InverterCommand
from orchestrator.decide.plant.units import Unit

COARSE_PART_OF_RATING = 0.002
"""Finer steps of one inverter are not worth it: what they lose is less than noise. Those of many are, once they lose so
much of the largest rating together, but never for limits that wear the device."""

HAIR = 1e-6
"""So much of a step is rounding of a division."""


def in_steps(commands: Sequence[InverterCommand], units: Sequence[Unit]) -> list[InverterCommand]:
    """The same commands, with limits of throttled inverters in their steps. Their sum is the same to half a step."""
    stepped = [u for u in units if u.sample.ac_limit_step_watts > 0.0 and u.throttled]
    if not stepped:
        return list(commands)
    limits = {command.inverter: command.ac_limit_watts for command in commands}
    coarse = _worth_it([u for u in stepped if limits.get(u.name) is not None])
    if not coarse:
        return list(commands)
    floors = {u.name: _floor(limits[u.name] or 0.0, u.sample.ac_limit_step_watts) for u in coarse}
    lost = {u.name: (limits[u.name] or 0.0) - floors[u.name] for u in coarse}
    left_watts = math.fsum(lost.values())
    losers = [u for u in coarse if lost[u.name] > HAIR * _step(u)]
    finer_watts = {step: math.fsum(_step(u) for u in losers if _step(u) < step) for step in set(map(_step, losers))}
    for unit in sorted(losers, key=lambda u: (-_step(u), -lost[u.name], u.name)):
        step = _step(unit)
        least_watts = step if finer_watts[step] >= left_watts else step / 2
        if left_watts >= least_watts:
            floors[unit.name] += step
            left_watts -= step
    return [
        replace(command, ac_limit_watts=floors[command.inverter]) if command.inverter in floors else command
        for command in commands
    ]


def _worth_it(units: Sequence[Unit]) -> list[Unit]:
    """Those whose steps lose more than noise, each by itself or all together."""
    coarse = [u for u in units if _step(u) > COARSE_PART_OF_RATING * (u.rating_watts or math.inf)]
    fine = [u for u in units if 0.0 < _step(u) <= COARSE_PART_OF_RATING * (u.rating_watts or math.inf)]
    fine = [u for u in fine if not u.sample.ac_limit_wears]
    lost_watts = math.fsum(map(_step, fine)) / 2
    largest_watts = max((u.rating_watts or 0.0 for u in fine), default=0.0)
    return coarse + fine if lost_watts > COARSE_PART_OF_RATING * largest_watts else coarse


def _step(unit: Unit) -> float:
    return unit.sample.ac_limit_step_watts


def _floor(watts: float, step_watts: float) -> float:
    return step_watts * math.floor(watts / step_watts + HAIR)
