"""What must hold in every storm, and by what name each second above a limit goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

from orchestrator.setpoints.fields import SetpointFields
from orchestrator.simulation.measuring.measures import LIMITED, limit_watts
from tests.support.storms.asking import Message
from tests.support.storms.plan import CALM_S, OF_CLOCK, make_storm
from tests.support.storms.world import Played, Seen, play

TOLERANCE_PART = 0.02
WITHIN_S = 5.0
"""A limit that can be kept is not exceeded for longer after something made it harder."""

TURNED_S = 10.0
"""The same while the meter counts the wrong way round, or the sign that was found for it is wrong again. A load that
moves twice as far as AC power looks just like it, so that three moves have to show it, and each takes a second or two
(docs/safety.md). Nothing else that lies has more than 5 s: not a stuck meter, nor an inverter that does not obey."""

AT_REST_PART, AT_REST_LEAST_WATTS, AT_REST_S = 0.005, 50.0, 16.0
"""A stuck meter whose value would hardly be another if it were not stuck: where AC power, as far as it can be read, has
moved by no more than one of these (of nameplate) since, its value proves nothing. After 10 s the plant asks it
(`ask_meter_after_s` of all storms), for 6 s at most."""

STARTS_S = 5.0
"""A start waits no longer for devices that have not spoken yet."""

HEALED_S = 60.0
"""So long after its cause a failsafe may last, where nothing says that it lasts."""

EASY = frozenset({"light", "setpoint", "broker_lost", "disk_full", "redelivered", "expired", "garbage", OF_CLOCK})
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
    before, for_s, by_its_sign, rests_s = -inf, 0, False, 0
    for seen in played.seen:
        at_s = seen.moment.at_s
        allowed = _asked(seen.newest, at_s, limit)
        if seen.new - EASY or allowed < before:
            for_s = 0
        before = allowed
        by_its_sign = seen.sign_is_wrong or (by_its_sign and for_s > 0)
        if LIMITED[limit](seen.moment) <= allowed + TOLERANCE_PART * played.storm.nameplate_watts:
            for_s = 0
            continue
        cause = _cause(seen, limit, allowed)
        rests_s = rests_s + 1 if _rests_unseen(seen, played.storm.nameplate_watts) else 0
        if cause is None and 0 < rests_s <= AT_REST_S:
            cause = "a meter is stuck while AC power rests"
        for_s = for_s + 1 if cause is None else 0
        cause = cause or _excuse(for_s, by_its_sign=by_its_sign)
        causes[cause or "none"] += 1
        if cause is None:
            yield f"{at_s:g} s: {limit} {LIMITED[limit](seen.moment):.0f} W above {allowed:.0f} W"


def _cause(seen: Seen, limit: str, allowed: float) -> str | None:
    """Why nobody could keep the limit in this second; None where it is for the loop to keep."""
    if seen.moment.mode in (None, "waiting"):
        return "orchestrator is dead" if seen.moment.mode is None else "orchestrator starts"
    known = limit_watts(seen.moment.wanted, limit)
    if known is None or known > allowed:
        return "the clock is wrong" if seen.clock_wrong_s else "nobody could know of the limit"
    if limit == "generation":
        unheard_watts = 0.0 if seen.says_ratings else seen.unheard_watts
        made_watts = LIMITED[limit](seen.moment)
        if made_watts - unheard_watts <= allowed:
            return "inverters make more that were never heard since the start"
        if made_watts - unheard_watts - seen.woken_watts <= allowed:
            return "inverters make more that slept when they were heard last"
    room = allowed + (seen.moment.load_watts if limit == "export" else 0.0)
    return "inverters make more that do not obey" if seen.forced_watts > room else None


def _rests_unseen(seen: Seen, nameplate_watts: float) -> bool:
    most_watts = max(AT_REST_PART * nameplate_watts, AT_REST_LEAST_WATTS)
    return seen.unshown_watts is not None and abs(seen.unshown_watts) <= most_watts


def _excuse(for_s: float, *, by_its_sign: bool) -> str | None:
    """Whether an excess of the loop itself has not lasted too long; `for_s` is counted since it was made harder.

    `by_its_sign`: what it takes for import was export during it. So it is, too, once a meter is put right that was
    found to be turned.
    """
    if for_s <= WITHIN_S:
        return "regulated within 5 s"
    return "a meter that counts the wrong way takes three moves" if by_its_sign and for_s <= TURNED_S else None


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
        asked = known.fields if known is not None and known.holds(at_s + seen.clock_wrong_s) else None
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


def a_failsafe_that_lasts_was_said_with_what_to_do(played: Played) -> Iterator[str]:
    """Since the last start there was an event that says what to write into site.yaml."""
    since_s = started_s = 0.0
    advice = [at_s for at_s, event in played.events if event.name in LASTING and "meter.sign" in event.detail]
    for seen in played.seen:
        at_s = seen.moment.at_s
        started_s = at_s if seen.moment.mode is None else started_s
        since_s = since_s if seen.moment.mode == "failsafe" else at_s
        lasts = at_s - since_s > HEALED_S and _causes_of_failsafe(seen) & LASTING
        if lasts and not any(started_s <= each <= at_s for each in advice):
            yield f"{at_s:g} s: nobody said how to end the failsafe since the start at {started_s:g} s"


def a_jump_of_the_clock_is_said(played: Played) -> Iterator[str]:
    """Where the orchestrator runs before and after it."""
    said = [at_s for at_s, event in played.events if event.name == "clock_jumped"]
    for before, seen in pairwise(played.seen):
        runs = before.moment.mode is not None and seen.moment.mode is not None
        jumped = before.clock_wrong_s != seen.clock_wrong_s
        if runs and jumped and not any(before.moment.at_s <= each <= seen.moment.at_s for each in said):
            yield f"{seen.moment.at_s:g} s: nobody said that the clock jumped to {seen.clock_wrong_s:g} s"


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
    a_failsafe_that_lasts_was_said_with_what_to_do,
    a_jump_of_the_clock_is_said,
    all_is_well_in_the_end,
)
