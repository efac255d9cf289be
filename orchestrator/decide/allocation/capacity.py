"""`capacity`: in proportion to capacity, so that all states of charge move by the same percent."""

from __future__ import annotations

from orchestrator.decide.allocation.base import Ask, Spread, share_by_weight


def by_capacity(ask: Ask) -> Spread:
    """In proportion to capacity in Wh, or to rated power where the capacity is unknown."""
    weights = {b.name: b.size(ask.charging) for b in ask.batteries}
    words = dict.fromkeys(weights, "share by capacity")
    return Spread(share_by_weight(ask.amount_watts, ask.rooms_watts(), weights), words)
