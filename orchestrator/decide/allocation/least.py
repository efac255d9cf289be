"""The least power that a battery is worth asking for: it gets nothing, or at least that much.

A site of many inverters, or one that sleeps, is not woken for a few watts. Those whose share would be too small are
left out, the smallest for their least first and half of them at a time, until nobody's is. What the others cannot do
then is done by some that were left out, at their least, where that brings the sum nearer to the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import Final

from msgspec.structs import replace

from orchestrator.decide.allocation.base import AllocatableBattery, Ask, Spread, Strategy
from orchestrator.reason import because

TRIED_AGAIN: Final = 8
"""So many that were left out are tried again at their least; each try costs a spread over all."""


def spread_worth_asking(strategy: Strategy, ask: Ask) -> Spread:
    """As `strategy` spreads it, with no part above 0 and below `least_watts` of its battery."""
    spread = strategy(ask)
    if not any(each.least_watts for each in ask.batteries):
        return spread
    left = list(ask.batteries)
    while small := _too_small(left, spread):
        out = {each.name for each in small[: (len(small) + 1) // 2]}
        left = [each for each in left if each.name not in out]
        spread = strategy(replace(ask, batteries=left))
    return _with_the_rest(strategy, ask, left, spread)


def _too_small(batteries: Sequence[AllocatableBattery], spread: Spread) -> list[AllocatableBattery]:
    """Those with too small a part, the smallest for its least first."""
    parts = spread.parts_watts
    small = [each for each in batteries if 0 < parts[each.name] < each.least_watts]
    return sorted(small, key=lambda each: (parts[each.name] / each.least_watts, each.name))


def _with_the_rest(strategy: Strategy, ask: Ask, left: list[AllocatableBattery], spread: Spread) -> Spread:
    """Those that were left out again, at their least, as long as that serves more of what is asked."""
    names = {each.name for each in left}
    out = [each for each in ask.batteries if each.name not in names]
    able = sorted(
        (each for each in out if 0 < each.least_watts <= each.room_watts(ask.charging)),
        key=lambda each: (-each.room_watts(ask.charging), each.name),
    )
    fixed: dict[str, float] = {}
    for each in able[:TRIED_AGAIN]:
        missing_watts = ask.amount_watts - fsum(spread.parts_watts.values()) - fsum(fixed.values())
        if missing_watts <= 0:
            break
        tried = {**fixed, each.name: each.least_watts}
        rest_watts = ask.amount_watts - fsum(tried.values())
        if rest_watts < 0:
            continue
        others = strategy(replace(ask, amount_watts=rest_watts, batteries=left))
        missed_watts = rest_watts - fsum(others.parts_watts.values())
        if missed_watts < missing_watts and not _too_small(left, others):
            spread, fixed = others, tried
    return _whole(ask, spread, fixed)


def _whole(ask: Ask, spread: Spread, fixed: dict[str, float]) -> Spread:
    """With a part for each battery, and why those that were left out have none."""
    parts, reasons = dict(spread.parts_watts) | fixed, dict(spread.reasons)
    for each in ask.batteries:
        if each.name not in spread.parts_watts:
            reasons[each.name] = because("not_worth_asking", watts=each.least_watts)
            parts.setdefault(each.name, 0.0)
    return replace(spread, parts_watts=parts, reasons=reasons)
