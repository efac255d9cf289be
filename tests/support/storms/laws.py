"""What must hold in every storm, and by what name each second above a limit goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from orchestrator.setpoints.fields import SetpointFields
from orchestrator.simulation.measuring.measures import LIMITED, limit_watts
from tests.support.storms.asking import Message
from tests.support.storms.plan import CALM_S, make_storm
from tests.support.storms.world import Played, Seen, play

TOLERANCE_PART = 0.02
WITHIN_S = 5.0
"""A limit that can be kept is not exceeded for longer after something made it harder."""

LIAR_S = 10.0
"""The same while something lies: a meter that is stuck or turned, an inverter that is stuck or does not obey. It takes
the plant some moves to find out (docs/safety.md), and nothing can be known before."""

LIARS = frozenset({"meter_frozen", "meter_reversed", "frozen", "ignores_commands", "ignores_battery"})

STARTS_S = 5.0
"""A start waits no longer for devices that have not spoken yet."""

HEALED_S = 60.0
"""So long after its cause a failsafe may last, where nothing says that it lasts."""

EASY = frozenset({"light", "setpoint", "broker_lost", "disk_full", "redelivered", "expired", "garbage"})
"""What happens without making a limit harder to keep."""

LASTING = frozenset({"meter_reversed", "meter_contradicts"})
"""Causes that hold the failsafe until somebody puts the meter, or its sign in site.yaml, right."""

JUDGED = ("export", "generation")


@dataclass
class Verdict:
    """What became of a storm: how many faults there were, seconds above limits by their cause, and broken laws."""

    seed: int
    faults: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def judge(seed: int) -> Verdict:
    """Play the storm of this seed and hold it against every law."""
    storm = make_storm(seed)
    played = play(storm)
    verdict = Verdict(seed, faults=len(storm.faults))
    for limit in JUDGED:
        verdict.broken += _excesses(played, limit, verdict.causes)
    for law in LAWS:
        verdict.broken += [f"{law.__name__}: {line}" for line in law(played)]
    return verdict


def _excesses(played: Played, limit: str, causes: Counter[str]) -> Iterator[str]:
    """Count each second above a limit under its cause; a line for each that is above for too long by our own fault."""
    before, for_s, was_turned = -inf, 0, False
    for seen in played.seen:
        at_s = seen.moment.at_s
        allowed = _asked(seen.newest, at_s, limit)
        if seen.new - EASY or allowed < before:
            for_s = 0
        before = allowed
        was_turned = was_turned or "meter_reversed" in seen.new
        if LIMITED[limit](seen.moment) <= allowed + TOLERANCE_PART * played.storm.nameplate_watts:
            for_s = 0
            continue
        cause = _cause(seen, limit, allowed)
        for_s = for_s + 1 if cause is None else 0
        cause = cause or _excuse(seen, for_s, was_turned=was_turned)
        causes[cause or "none"] += 1
        if cause is None:
            yield f"{at_s:g} s: {limit} {LIMITED[limit](seen.moment):.0f} W above {allowed:.0f} W"


def _cause(seen: Seen, limit: str, allowed: float) -> str | None:
    """Why nobody could keep the limit in this second; None where it is for the loop to keep."""
    if seen.moment.mode in (None, "waiting"):
        return "orchestrator is dead" if seen.moment.mode is None else "orchestrator starts"
    known = limit_watts(seen.moment.wanted, limit)
    if known is None or known > allowed:
        return "nobody could know of the limit"
    if limit == "generation" and seen.unheard:
        return "inverters make more that were never heard since the start"
    room = allowed + (seen.moment.load_watts if limit == "export" else 0.0)
    return "inverters make more that do not obey" if seen.forced_watts > room else None


def _excuse(seen: Seen, for_s: float, *, was_turned: bool) -> str | None:
    """Whether an excess of the loop itself has not lasted too long; `for_s` is counted since it was made harder.

    A meter that `was_turned` lies again once it is put right: the sign that was found out for it is wrong then.
    """
    if for_s <= WITHIN_S:
        return "regulated within 5 s"
    lies = was_turned or any(fault.kind in LIARS for fault in seen.active)
    return "what lies is found out within 10 s" if lies and for_s <= LIAR_S else None


def _asked(message: Message | None, now_s: float, limit: str) -> float:
    if message is None or message.fields is None or not message.holds(now_s):
        return inf
    watts = limit_watts(message.fields, limit)
    return inf if watts is None else watts


def a_start_does_not_wait_for_long(played: Played) -> Iterator[str]:
    """It goes on with what is there, and without a meter that says nothing."""
    waits_s = 0.0
    for seen in played.seen:
        waits_s = waits_s + 1 if seen.moment.mode == "waiting" else 0.0
        if waits_s > STARTS_S:
            yield f"{seen.moment.at_s:g} s: waits since {waits_s:g} s"


def what_is_asked_for_is_what_can_be_known(played: Played) -> Iterator[str]:
    """The loop obeys the newest message that reached it or its disk, as long as that is valid, and no other."""
    for seen in played.seen:
        known, at_s = seen.sure, seen.moment.at_s
        asked = known.fields if known is not None and known.holds(at_s) else None
        if seen.moment.mode is not None and seen.moment.wanted != (asked or SetpointFields()):
            yield f"{at_s:g} s: obeys {seen.moment.wanted.asked()}, not {(asked or SetpointFields()).asked()}"


def every_failsafe_has_a_cause(played: Played) -> Iterator[str]:
    """In each second it says what is wrong with the meter, and it ends when that is over, unless it says why not."""
    since_s = 0.0
    for seen in played.seen:
        at_s, codes = seen.moment.at_s, _causes_of_failsafe(seen)
        if seen.moment.mode != "failsafe" or any(fault.kind.startswith("meter") for fault in seen.active):
            since_s = at_s
        if seen.moment.mode == "failsafe" and not codes:
            yield f"{at_s:g} s: a failsafe without a cause"
        if at_s - since_s > HEALED_S and not codes & LASTING:
            yield f"{at_s:g} s: the failsafe lasts: {codes}"


def _causes_of_failsafe(seen: Seen) -> set[str]:
    causes = (each.cause("why") for each in seen.moment.reasons if each.code == "failsafe")
    return {cause.code for cause in causes if cause is not None}


def all_is_well_in_the_end(played: Played) -> Iterator[str]:
    """After two minutes of calm the plant runs and commands everybody; a meter that was turned may still hold it."""
    last = played.seen[-1].moment
    if last.mode != "normal" and not (played.storm.reverses_its_meter and _causes_of_failsafe(played.seen[-1])):
        yield f"after {CALM_S:g} s of calm it is {last.mode}"
    missing = set(played.storm.scenario.inverters) - {command.inverter for command in last.commands}
    if missing:
        yield f"after {CALM_S:g} s of calm nobody commands {sorted(missing)}"


LAWS = (
    a_start_does_not_wait_for_long,
    what_is_asked_for_is_what_can_be_known,
    every_failsafe_has_a_cause,
    all_is_well_in_the_end,
)
