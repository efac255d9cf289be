"""How long an inverter takes to do what it is told, learned from the commands that the loop gives anyway.

The response time is the time from a change of the command to the moment when 63 % of the change is measured: for a
device that settles like e^(-t/T), dead time plus T. It contains everything on the way (the write, the device, its
ramp, the reading), and it cannot be finer than the time between two readings.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.decide.memory import Response, Step

DONE_PART = 0.63
"""The response time is that of 63 % of the change: dead time plus T of a device that settles like e^(-t/T)."""

STEP_PART_OF_RATING = 0.1
"""Smaller changes drown in noise and in the weather."""

SAME_STEP_PART = 0.25
"""A target that moves on by less than this part of the step is still the same step."""

GIVE_UP_AFTER_S = 30.0
"""What has not come by then does not come of this command."""

REMEMBERED = 5
"""The median of so many is taken: one cloud in the middle of a step does not count."""


NEVER_SEEN: Final = Response()


class Look(Struct, frozen=True):
    """One look at an inverter, in W: what is `measured` since `at_s`, and what it is told to reach from `now_s` on.

    `target_watts` is None while it is told nothing that can be measured. `rating_watts` > 0 is the measure of large.
    """

    measured_watts: float
    at_s: float
    target_watts: float | None
    now_s: float
    rating_watts: float


def watch_response(before: Response, look: Look) -> Response:
    """See how far the step under way has come, and whether another one begins."""
    seen = before if before.step is None else _progress(before, before.step, look)
    after = seen if look.target_watts == seen.target_watts else replace(seen, target_watts=look.target_watts)
    if look.target_watts is None or before.target_watts is None:
        return replace(after, step=None)
    large = STEP_PART_OF_RATING * look.rating_watts
    if seen.step is not None:
        size = abs(seen.step.to_watts - seen.step.from_watts)
        if abs(look.target_watts - seen.step.to_watts) <= SAME_STEP_PART * size:
            return after
    elif abs(look.target_watts - before.target_watts) < large:
        return after
    if abs(look.target_watts - look.measured_watts) < large:
        return replace(after, step=None)
    return replace(after, step=Step(look.measured_watts, look.target_watts, look.now_s, 0.0, look.now_s))


def _progress(before: Response, step: Step, look: Look) -> Response:
    """Where the step stands; learned when it is done, given up when it takes too long."""
    if look.at_s <= step.seen_at_s:
        return before
    part = (look.measured_watts - step.from_watts) / (step.to_watts - step.from_watts)
    if part >= DONE_PART:
        done_at_s = step.seen_at_s + (look.at_s - step.seen_at_s) * (DONE_PART - step.part) / (part - step.part)
        return replace(before, times_s=(*before.times_s, done_at_s - step.at_s)[-REMEMBERED:], step=None)
    if look.at_s - step.at_s > GIVE_UP_AFTER_S:
        return replace(before, step=None)
    return replace(before, step=replace(step, part=part, seen_at_s=look.at_s))
