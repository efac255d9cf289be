"""`capacity`: in proportion to capacity, so that all states of charge move by the same percent."""

from __future__ import annotations

from typing import Final

from orchestrator.decide.allocation.base import Ask, Spread, share_by_weight
from orchestrator.reason import because

BY_CAPACITY: Final = because("share_by_capacity")


def by_capacity(ask: Ask) -> Spread:
    """In proportion to capacity in Wh, or to rated power where the capacity is unknown."""
    weights = {b.name: b.size(ask.charging) for b in ask.batteries}
    reasons = dict.fromkeys(weights, BY_CAPACITY)
    return Spread(share_by_weight(ask.amount_watts, ask.rooms_watts(), weights), reasons)
