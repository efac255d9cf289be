"""Which reasons are worth a line in the log: those that have changed and last, and of each subject few a minute.

Reasons move with every cloud, so not every one of them is told: only what decides is looked at, not what passes (a step
of a ramp, a change that is held back), and a subject that was told of a moment ago keeps quiet for a while.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from orchestrator.decide.records import CycleResult
from orchestrator.explain.codes import passes
from orchestrator.explain.words import say_all
from orchestrator.reason import Reason
from orchestrator.telemetry.log.events import Entry

LASTS_S: Final = 2.0
"""New reasons are told when they have been there for so long."""

QUIET_S: Final = 60.0
"""After a line of one subject the next one of it comes no sooner."""


SITE: Final = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of one subject at `told_s`, and what is there since `since_s` (both monotonic), without numbers."""

    reasons: tuple[Reason, ...] = ()
    told_s: float = -inf
    now: tuple[Reason, ...] = ()
    since_s: float = -inf


NOTHING_TOLD: Final = Told()


def reason_entries(told: Mapping[str, Told], result: CycleResult) -> tuple[dict[str, Told], tuple[Entry, ...]]:
    """What is to be remembered after this cycle, by inverter ("" is the site), and what of it is news."""
    if result.mode == "waiting":
        return dict(told), ()
    after, entries = {}, []
    for subject, reasons in _reasons(result).items():
        memory, is_news = _seen(told.get(subject, NOTHING_TOLD), reasons, result.snapshot.at_s)
        after[subject] = memory
        if is_news:
            entries.append(Entry("info", "reason", f"why: {'; '.join(say_all(reasons))}", subject or None))
    return after, tuple(entries)


def _reasons(result: CycleResult) -> dict[str, list[Reason]]:
    """What decides, by subject, most decisive first."""
    by_subject = {SITE: result.reasons, **{command.inverter: command.reasons for command in result.commands}}
    return {name: [each for each in reasons if not passes(each)] for name, reasons in by_subject.items()}


def _seen(before: Told, reasons: list[Reason], now_s: float) -> tuple[Told, bool]:
    """The memory after a look at one subject, and whether its reasons are to be told: numbers are no news."""
    now = tuple(each.without_numbers() for each in reasons)
    seen = before if now == before.now else replace(before, now=now, since_s=now_s)
    is_news = now not in ((), seen.reasons)
    if not is_news or now_s - seen.since_s < LASTS_S or now_s - seen.told_s < QUIET_S:
        return seen, False
    return replace(seen, reasons=now, told_s=now_s), True
