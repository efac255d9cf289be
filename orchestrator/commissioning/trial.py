"""One step of commissioning on its way: how long it is looked at, and what was seen.

    BASELINE --long enough--> WRITE --written--> ANSWER --settled--> RETURN --back by itself--> SETTLE --> DONE
                                 |                  |                   |
                                 +--refused---------+--no answer--------+--never back------------------> DONE

Pure: the caller reads, writes, and hands in what it saw and when. Signs as everywhere: AC into the site +, battery
charging +, meter import +.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean
from typing import Final

from orchestrator.commissioning.steps import Quantity, Step

ANSWER_SHARE: Final = 0.6
"""An answer must come within this part of the revert time, so that it is not taken for the return."""
NEAR_SHARE: Final = 0.25
"""So much of the step an answer may be off and still be the one that was asked for."""
RUNAWAY_SHARE: Final = 3.0
"""An answer that is so many steps large is ended as soon as it is sure."""
BACK_SHARE: Final = 0.5
BASELINE_READINGS: Final = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a trial waits. `revert_s` is the revert time of the device, which it was told or which it has.

    `settle_s`: so long a power must stay to count as reached. `late_s` is added to one and a half revert times before
    a timer counts as dead; `late_share` is that one and a half. `has_timer` false: the device is known to have none.
    """

    revert_s: float = 30.0
    baseline_s: float = 3.0
    answer_s: float = 30.0
    settle_s: float = 2.0
    late_s: float = 5.0
    poll_s: float = 0.25
    late_share: float = 1.5
    has_timer: bool = True


@dataclass(frozen=True, slots=True)
class Observation:
    """One reading of inverter and meter at `at_s`; None is what could not be read.

    `held` says that the registers still show what was written.
    """

    at_s: float
    ac_watts: float | None = None
    battery_watts: float | None = None
    site_watts: float | None = None
    held: bool | None = None

    def watts(self, quantity: Quantity) -> float | None:
        """The power that a step of `quantity` changes."""
        return self.ac_watts if quantity is Quantity.AC else self.battery_watts


class Stage(StrEnum):
    """How far a trial is."""

    BASELINE = "looking"
    WRITE = "writing"
    ANSWER = "waiting for the answer"
    RETURN = "waiting for its own return"
    SETTLE = "looking again"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Trial:
    """A step on its way. The observations are kept by the stage they were made in.

    `refused` names registers that the device did not take, `written_at_s` is when it took all of them.
    """

    step: Step
    timing: Timing
    began_s: float
    stage: Stage = Stage.BASELINE
    before: tuple[Observation, ...] = ()
    answer: tuple[Observation, ...] = ()
    waiting: tuple[Observation, ...] = ()
    after: tuple[Observation, ...] = ()
    written_at_s: float | None = None
    returned_at_s: float | None = None
    refused: tuple[str, ...] = ()

    @property
    def start_watts(self) -> float | None:
        """The power before the step."""
        return mean(self.step.quantity, self.before)

    @property
    def asked_watts(self) -> float:
        """How far the power should move."""
        return self.step.watts - (self.start_watts or 0.0)

    def last(self, observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
        """The observations of the last `settle_s`."""
        return tuple(each for each in observations if each.at_s >= observations[-1].at_s - self.timing.settle_s)


def mean(quantity: Quantity, observations: tuple[Observation, ...]) -> float | None:
    """The mean power, None where none was read."""
    known = [watts for each in observations if (watts := each.watts(quantity)) is not None]
    return fmean(known) if known else None


def begin(step: Step, timing: Timing, now_s: float) -> Trial:
    """A trial that starts by looking."""
    return Trial(step, timing, now_s)


def written(trial: Trial, now_s: float, refused: tuple[str, ...] = ()) -> Trial:
    """After the command was written, or refused: then the trial is over."""
    stage = Stage.DONE if refused else Stage.ANSWER
    return replace(trial, stage=stage, written_at_s=None if refused else now_s, refused=refused)


def observed(trial: Trial, seen: Observation) -> Trial:
    """After one more reading."""
    match trial.stage:
        case Stage.BASELINE:
            return _looked(replace(trial, before=(*trial.before, seen)))
        case Stage.ANSWER:
            return _answered(replace(trial, answer=(*trial.answer, seen)))
        case Stage.RETURN:
            return _waited(replace(trial, waiting=(*trial.waiting, seen)))
        case Stage.SETTLE:
            return _settled(replace(trial, after=(*trial.after, seen)))
    return trial


def is_near(trial: Trial, watts: float | None) -> bool:
    """Whether `watts` is the answer that was asked for."""
    return watts is not None and abs(watts - trial.step.watts) <= NEAR_SHARE * abs(trial.asked_watts)


def _looked(trial: Trial) -> Trial:
    enough = len(trial.before) >= BASELINE_READINGS
    is_over = enough and trial.before[-1].at_s - trial.began_s >= trial.timing.baseline_s
    return replace(trial, stage=Stage.WRITE) if is_over else trial


def _answered(trial: Trial) -> Trial:
    since_s, timing = trial.answer[-1].at_s - (trial.written_at_s or 0.0), trial.timing
    last = [each.watts(trial.step.quantity) for each in trial.last(trial.answer)]
    if since_s >= timing.settle_s:
        if all(_runs_away(trial, watts) for watts in last):
            return replace(trial, stage=Stage.DONE)
        if all(is_near(trial, watts) for watts in last):
            return replace(trial, stage=Stage.RETURN)
    if since_s < min(timing.answer_s, ANSWER_SHARE * timing.revert_s):
        return trial
    return replace(trial, stage=Stage.RETURN if _has_moved(trial) else Stage.DONE)


def _runs_away(trial: Trial, watts: float | None) -> bool:
    """Whether a battery does many times what it was asked for. An AC limit that is too low does no harm."""
    start = trial.start_watts
    if trial.step.quantity is Quantity.AC or watts is None or start is None:
        return False
    return abs(watts - start) > RUNAWAY_SHARE * abs(trial.asked_watts)


def _has_moved(trial: Trial) -> bool:
    watts, start = mean(trial.step.quantity, trial.last(trial.answer)), trial.start_watts
    return watts is not None and start is not None and abs(watts - start) > BACK_SHARE * abs(trial.asked_watts)


def _waited(trial: Trial) -> Trial:
    seen = trial.waiting[-1]
    if len(trial.waiting) > 1 and all(_is_back(trial, each) for each in trial.waiting[-2:]):
        return replace(trial, stage=Stage.SETTLE, returned_at_s=trial.waiting[-2].at_s)
    longest_s = trial.timing.late_share * trial.timing.revert_s + trial.timing.late_s
    if seen.at_s - (trial.written_at_s or 0.0) > longest_s:
        return replace(trial, stage=Stage.DONE)
    return trial


def _is_back(trial: Trial, seen: Observation) -> bool:
    """Whether the power has left the answer by half a step, towards where it came from or beyond what was asked."""
    watts, held = seen.watts(trial.step.quantity), mean(trial.step.quantity, trial.last(trial.answer))
    if watts is None or held is None:
        return False
    moved = (watts - held) / trial.asked_watts if trial.asked_watts else 0.0
    if trial.step.quantity is Quantity.AC:
        return moved <= -BACK_SHARE
    return abs(moved) >= BACK_SHARE


def _settled(trial: Trial) -> Trial:
    is_over = trial.after[-1].at_s - (trial.returned_at_s or 0.0) >= 2 * trial.timing.settle_s
    return replace(trial, stage=Stage.DONE) if is_over else trial
