"""The ledger of compliance: every excess over a limit as one record, from its first second to its last.

What counts, so that two people who read the ledger mean the same:
- An excess begins when a power is above its limit by more than the tolerance: `ledger.tolerance_percent` of the
  nameplates of the inverters that answer, at least 50 W. Without it the flutter of a meter around a limit that is
  kept would fill the ledger. The counters of `limit_excess` have no tolerance.
- The power of a cycle is taken to have held until the next cycle.
- It ends when the power has been back for 2 s. A shorter dip belongs to it: a site that swings around its limit is one
  long excess, not many short ones. Its duration is from its begin to the last moment above.
- Its energy is what flowed above the limit (not above the tolerance) while the power was above the tolerance.
- Where the power becomes unknown (meter silent, no cycle for 10 s, the program killed), it ends as `unseen`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from math import fsum
from types import MappingProxyType
from typing import Final

from orchestrator.decide.records import CycleResult
from orchestrator.explain.words import say_all
from orchestrator.ledger.above_limits import LIMITS, MAX_GAP_S, limits_in_force, measured_watts
from orchestrator.reason import Reason

RULES_S: Final = (5.0, 10.0, 15.0)
"""How long an excess may last: 5 s (UK G100, the strictest in force), 10 s and 15 s (older and laxer rules)."""
LEAST_TOLERANCE_WATTS: Final = 50.0
DIP_S: Final = 2.0
UPDATE_EVERY_S: Final = 0.5
"""An open excess is told again after this time, so that a kill loses less than two cycles of a second."""


class Outcome(StrEnum):
    """How an excess stands."""

    OPEN = "open"
    ENDED = "ended"
    UNSEEN = "unseen"
    """Nobody saw its end; it lasted at least as long as recorded."""


@dataclass(frozen=True, slots=True)
class SiteContext:
    """The site at the peak of an excess. Powers in W with the usual signs; None is unknown.

    `reasons` are the words of `why`. `limit_fell` says that the excess began because the limit was lowered or set, not
    because the power rose.
    """

    mode: str = "normal"
    limit_fell: bool = False
    site_watts: float | None = None
    load_watts: float | None = None
    ac_watts: float | None = None
    pv_watts: float | None = None
    battery_watts: float | None = None
    away: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    why: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Excess:
    """One excess over one of `LIMITS`. `limit` and `began_at` (with its time zone) identify it.

    `limit_watts` is the lowest limit in force meanwhile, set by `source`. `peak_watts` is the most above the limit.
    """

    limit: str
    began_at: datetime
    limit_watts: float
    source: str
    duration_s: float = 0.0
    peak_watts: float = 0.0
    watt_hours: float = 0.0
    outcome: Outcome = Outcome.OPEN
    context: SiteContext = field(default_factory=SiteContext)


@dataclass(frozen=True, slots=True)
class OpenExcess:
    """An excess that goes on: monotonic times of its begin, its last moment above, and when it was last told."""

    excess: Excess
    began_s: float
    above_until_s: float
    told_s: float


@dataclass(frozen=True, slots=True)
class LedgerState:
    """What must be remembered from one cycle to the next."""

    former: CycleResult | None = None
    open: Mapping[str, OpenExcess] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class _Look:
    """One cycle, and the one before where that says what flowed between them."""

    result: CycleResult
    former: CycleResult | None
    wall_now: datetime

    @property
    def now_s(self) -> float:
        return self.result.snapshot.at_s


@dataclass(frozen=True, slots=True)
class _Over:
    """How far one power is above its limit, in W; 0 where it is not by more than the tolerance."""

    watts: float
    limit_watts: float
    source: str


def observe(
    state: LedgerState, result: CycleResult, wall_now: datetime, tolerance_percent: float = 1.0
) -> tuple[LedgerState, tuple[Excess, ...]]:
    """Take one cycle. Returns the next state, and each excess that is to be written: new, grown, or over.

    `wall_now` (with its zone) is the time of day of the cycle; durations are taken from its monotonic time.
    """
    look = _Look(result, _trusted_former(state.former, result), wall_now)
    before = _overs(look.former, tolerance_percent) if state.open and look.former else {}
    overs = _overs(result, tolerance_percent)
    still_open: dict[str, OpenExcess] = {}
    told: list[Excess] = []
    for limit in LIMITS:
        entry = _grown(state.open.get(limit), before.get(limit), look)
        entry, news = _judged(entry, overs[limit], limit, look)
        told += news
        if entry is not None:
            still_open[limit] = entry
    return LedgerState(result, MappingProxyType(still_open)), tuple(told)


def unseen(state: LedgerState) -> tuple[Excess, ...]:
    """The open excesses as they are recorded when nobody looks any more: at a stop."""
    return tuple(replace(entry.excess, outcome=Outcome.UNSEEN) for entry in state.open.values())


def longer_than(excesses: Iterable[Excess], rule_s: float) -> int:
    """How many lasted longer than `rule_s`."""
    return sum(excess.duration_s > rule_s for excess in excesses)


def tolerance_watts(result: CycleResult, tolerance_percent: float) -> float:
    """How far above a limit is still within it, in W."""
    ratings = [sample.nameplate.ac_max_watts or 0.0 for sample in result.snapshot.inverters]
    return max(LEAST_TOLERANCE_WATTS, fsum(ratings) * tolerance_percent / 100)


def _trusted_former(former: CycleResult | None, result: CycleResult) -> CycleResult | None:
    """The cycle before, unless it is so long ago that it says nothing of the time since."""
    if former is None or not 0 <= result.snapshot.at_s - former.snapshot.at_s <= MAX_GAP_S:
        return None
    return former


def _overs(result: CycleResult, tolerance_percent: float) -> dict[str, _Over | None]:
    """Each power against its limit; None where the power is unknown, 0 W where there is no limit."""
    limits, measured = limits_in_force(result.envelope), measured_watts(result)
    tolerance = tolerance_watts(result, tolerance_percent)
    overs: dict[str, _Over | None] = {}
    for limit in LIMITS:
        limit_watts, power_watts = limits.get(limit), measured.get(limit)
        if power_watts is None:
            overs[limit] = None
        elif limit_watts is None or power_watts - limit_watts <= tolerance:
            overs[limit] = _Over(0.0, 0.0, "")
        else:
            source = result.envelope.source(f"{limit}_limit_watts") or ""
            overs[limit] = _Over(power_watts - limit_watts, limit_watts, source)
    return overs


def _grown(entry: OpenExcess | None, before: _Over | None, look: _Look) -> OpenExcess | None:
    """The excess with what flowed since the former cycle, where that was above."""
    if entry is None or look.former is None or before is None or not before.watts:
        return entry
    excess, passed_s = entry.excess, look.now_s - look.former.snapshot.at_s
    excess = replace(
        excess,
        duration_s=look.now_s - entry.began_s,
        watt_hours=excess.watt_hours + before.watts * passed_s / 3600,
    )
    return replace(entry, excess=excess, above_until_s=look.now_s)


def _judged(
    entry: OpenExcess | None, over: _Over | None, limit: str, look: _Look
) -> tuple[OpenExcess | None, list[Excess]]:
    """What becomes of the excess with the power of this cycle, and what is to be written of it."""
    told: list[Excess] = []
    if entry is not None and (over is None or look.former is None):
        told.append(replace(entry.excess, outcome=Outcome.UNSEEN))
        entry = None
    if over is None:
        return None, told
    if not over.watts:
        entry, news = _ended_if_back(entry, look.now_s)
    elif entry is None:
        entry = _begun(over, limit, look)
        news = [entry.excess]
    else:
        entry, news = _gone_on(entry, over, look)
    return entry, [*told, *news]


def _ended_if_back(entry: OpenExcess | None, now_s: float) -> tuple[OpenExcess | None, list[Excess]]:
    if entry is None or now_s - entry.above_until_s < DIP_S:
        return entry, []
    return None, [replace(entry.excess, outcome=Outcome.ENDED)]


def _begun(over: _Over, limit: str, look: _Look) -> OpenExcess:
    context = SiteContext(limit_fell=_limit_fell(limit, over.limit_watts, look.former))
    excess = Excess(limit, look.wall_now, over.limit_watts, over.source, context=context)
    return OpenExcess(_with_peak(excess, over, look.result), look.now_s, look.now_s, look.now_s)


def _gone_on(entry: OpenExcess, over: _Over, look: _Look) -> tuple[OpenExcess, list[Excess]]:
    entry = replace(entry, excess=_with_peak(entry.excess, over, look.result))
    if look.now_s - entry.told_s < UPDATE_EVERY_S:
        return entry, []
    return replace(entry, told_s=look.now_s), [entry.excess]


def _limit_fell(limit: str, limit_watts: float, former: CycleResult | None) -> bool:
    if former is None:
        return False
    before_watts = limits_in_force(former.envelope).get(limit)
    return before_watts is None or before_watts > limit_watts


def _with_peak(excess: Excess, over: _Over, result: CycleResult) -> Excess:
    """The excess with the strictest limit so far, and with the site as it was at the peak so far."""
    if over.limit_watts < excess.limit_watts:
        excess = replace(excess, limit_watts=over.limit_watts, source=over.source)
    if over.watts <= excess.peak_watts:
        return excess
    return replace(excess, peak_watts=over.watts, context=_context(excess.context.limit_fell, result))


def _context(limit_fell: bool, result: CycleResult) -> SiteContext:
    totals = result.totals
    return SiteContext(
        mode=result.mode,
        limit_fell=limit_fell,
        site_watts=totals.site_watts,
        load_watts=totals.load_watts,
        ac_watts=totals.ac_watts,
        pv_watts=totals.pv_watts,
        battery_watts=totals.battery_watts,
        away=result.snapshot.away,
        reasons=say_all(result.reasons),
        why=result.reasons,
    )
