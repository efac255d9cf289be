"""What the trials of commissioning mean: what passed, and what is unsafe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.commissioning.steps import NotTried, Quantity
from orchestrator.commissioning.trial import NEAR_SHARE, Observation, Trial, is_near, mean
from orchestrator.samples import InverterSample

OBEYED_WITHIN_S: Final = 5.0
"""The strictest rule for a reduced limit (UK G100)."""
FOLLOWS_WITHIN_S: Final = 30.0
EARLY_SHARE: Final = 0.5
SMALL_SHARE: Final = 0.05
BIG_SHARE: Final = 1.7
NOISE_MIN_WATTS: Final = 2.0
REACHED_SHARE: Final = 0.63


class Verdict(StrEnum):
    """What a check came to. UNCLEAR: something else moved at the same time; try again."""

    PASSED = "passed"
    UNSAFE = "unsafe"
    UNCLEAR = "unclear"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    inverter: str
    name: str
    verdict: Verdict
    text: str


def reading(sample: InverterSample, fallback: str = "") -> Check:
    """Whether what the inverter says can be used. `fallback` is what it goes back to by itself, where that is known."""
    plate, battery = sample.nameplate, sample.battery
    texts = [f"{plate.manufacturer} {plate.model}".strip(), plate.serial and f"serial {plate.serial}"]
    texts.append("AC unknown" if sample.ac_watts is None else f"AC {sample.ac_watts:.0f} W")
    if battery is not None:
        texts.append("battery unknown" if battery.watts is None else f"battery {battery.watts:+.0f} W")
        texts.append("" if battery.soc_percent is None else f"{battery.soc_percent:.0f} %")
    if sample.faults:
        texts.append(f"refused as nonsense: {', '.join(sample.faults)}")
    texts.append(f"left alone: {fallback}" if fallback else "")
    verdict = Verdict.UNSAFE if sample.faults else Verdict.UNCLEAR if sample.ac_watts is None else Verdict.PASSED
    return Check(sample.name, "reading", verdict, ", ".join(text for text in texts if text))


def not_tried(inverter: str, reason: NotTried) -> Check:
    """A step that could not be made."""
    return Check(inverter, reason.quantity, Verdict.NOT_TRIED, reason.reason)


def judge(trial: Trial) -> tuple[Check, ...]:
    """The answer of the device, and its own return; of the meter see `meter_verdict`."""
    return tuple(_judge(trial))


def _judge(trial: Trial) -> Iterator[Check]:
    inverter, quantity = trial.step.command.inverter, trial.step.quantity
    verdict, text = _answer(trial)
    yield Check(inverter, quantity, verdict, text)
    if trial.waiting:
        yield Check(inverter, f"{quantity}: revert time", *_return(trial))


Judged = tuple[Verdict, str]


def _answer(trial: Trial) -> Judged:
    if trial.refused:
        return Verdict.UNSAFE, f"refused: the device does not take {', '.join(trial.refused)}"
    start, end = trial.start_watts, mean(trial.step.quantity, trial.last(trial.answer) if trial.answer else ())
    if start is None or end is None:
        return Verdict.UNCLEAR, "its power could not be read"
    if abs(trial.asked_watts) < NOISE_MIN_WATTS or (trial.step.quantity is Quantity.AC and trial.asked_watts > 0):
        return Verdict.UNCLEAR, f"its power changed by itself to {start:.0f} W before the step; try again"
    asked = f"from {start:.0f} W to {trial.step.watts:.0f} W was asked"
    if not is_near(trial, end):
        return _wrong_answer(trial, start, end, asked)
    delay_s = _delay_s(trial, trial.step.quantity, start, end)
    longest_s = OBEYED_WITHIN_S if trial.step.quantity is Quantity.AC else FOLLOWS_WITHIN_S
    said = f"{asked}, {end:.0f} W came after {delay_s:.1f} s"
    if delay_s > longest_s:
        return Verdict.UNSAFE, f"too slow: {said}; at most {longest_s:g} s are allowed"
    return Verdict.PASSED, said


def _wrong_answer(trial: Trial, start: float, end: float, asked: str) -> Judged:
    came = f"{asked}, {end:.0f} W came"
    share = (end - start) / trial.asked_watts
    if _is_hundredth(trial, start, end):
        return Verdict.UNSAFE, f"{came}: its scale factor is ignored, the answer is about 100 times too small"
    if abs(share) < SMALL_SHARE:
        shown = "its registers show the command" if trial.answer[-1].held else "its registers do not show the command"
        hint = "ignored, or its scale factor is ignored (100 times too big)" if trial.answer[-1].held else "ignored"
        return Verdict.UNSAFE, f"{came}: {hint}; {shown}"
    if share < 0 or _is_reversed(trial, end):
        return Verdict.UNSAFE, f"{came}: the wrong way, its sign is wrong"
    if trial.step.quantity is Quantity.BATTERY and share > BIG_SHARE:
        return Verdict.UNSAFE, f"{came}: its scale factor is ignored, the answer is too big"
    return Verdict.UNCLEAR, f"{came}: not what was asked, try again with steady sun"


def _is_hundredth(trial: Trial, start: float, end: float) -> bool:
    """Whether the power went to a hundredth of what was asked, and moved to get there."""
    hundredth = trial.step.watts / 100.0
    moved = abs(end - start) > max(_spread(trial.step.quantity, trial.before), NOISE_MIN_WATTS)
    return moved and abs(end - hundredth) <= max(abs(trial.step.watts) * 0.02, NOISE_MIN_WATTS)


def _is_reversed(trial: Trial, end: float) -> bool:
    """Whether a battery discharges in place of charging, or the other way round."""
    asked = trial.step.watts
    opposite = end < 0 < asked or asked < 0 < end
    return trial.step.quantity is Quantity.BATTERY and opposite and abs(end) >= NEAR_SHARE * abs(asked)


def _return(trial: Trial) -> Judged:
    revert_s, written_s = trial.timing.revert_s, trial.written_at_s or 0.0
    if trial.returned_at_s is not None:
        after_s = trial.returned_at_s - written_s
        said = f"back by itself {after_s:.1f} s after the last write, with a revert time of {revert_s:g} s"
        if after_s < EARLY_SHARE * revert_s:
            return Verdict.UNSAFE, f"too early: {said}"
        return Verdict.PASSED, said
    waited_s = trial.waiting[-1].at_s - written_s
    if trial.waiting[-1].held is False:
        return Verdict.UNCLEAR, f"its registers show the return, but its power did not change within {waited_s:.0f} s"
    if not trial.timing.has_timer:
        why, told = "it has no revert timer", ""
    else:
        why, told = "its revert timer does not work", f", with a revert time of {revert_s:g} s"
    holds = f"{waited_s:.0f} s after the last write the command still holds{told}"
    return Verdict.UNSAFE, f"{why}: {holds}; a command would outlive a killed orchestrator"


def _delay_s(trial: Trial, quantity: Quantity, start: float, end: float) -> float:
    """When most of the way was gone, from the write on."""
    for each in trial.answer:
        watts = each.watts(quantity)
        if watts is not None and (watts - start) / (end - start) >= REACHED_SHARE:
            return each.at_s - (trial.written_at_s or 0.0)
    return trial.answer[-1].at_s - (trial.written_at_s or 0.0)


def _spread(quantity: Quantity, observations: Sequence[Observation]) -> float:
    known = [watts for each in observations if (watts := each.watts(quantity)) is not None]
    return max(known) - min(known) if known else 0.0
