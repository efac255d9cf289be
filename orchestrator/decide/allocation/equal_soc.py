"""`equal_soc`: towards a common state of charge, as water fills vessels that stand at different heights.

Each battery gets the power that would bring it to one common level within `LEVELLING_H` hours. The emptier charge
first, the fuller discharge first; the others join when the level reaches them. The level rises steadily with the
target, so every share does; a state of charge that differs by 1 % moves a share by 1 % of capacity per hour, no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from msgspec import Struct

from orchestrator.decide.allocation.base import Ask, Spread
from orchestrator.reason import Reason, because

LEVELLING_H = 1.0
"""Longer is calmer where states of charge are read in coarse steps, shorter levels sooner."""


class _Vessel(Struct, frozen=True):
    """One battery: empty at the level `bottom` (in % of charge, or of depth), `watts_per_level` wide, and how high."""

    name: str
    bottom: float
    watts_per_level: float
    room_watts: float

    @property
    def top(self) -> float:
        return self.bottom + self.room_watts / self.watts_per_level

    def filled_watts(self, level: float) -> float:
        return min(max((level - self.bottom) * self.watts_per_level, 0.0), self.room_watts)


def to_equal_soc(ask: Ask) -> Spread:
    """Bring the batteries nearer to one state of charge; in proportion to capacity once they are there."""
    parts = dict.fromkeys((b.name for b in ask.batteries), 0.0)
    vessels = sorted(_vessels(ask), key=lambda v: (v.bottom, v.name))
    parts |= _fill(ask.amount_watts, vessels)
    return Spread(parts, {b.name: _reason(parts[b.name], b.soc_percent, ask.charging) for b in ask.batteries})


def _vessels(ask: Ask) -> list[_Vessel]:
    """A battery of unknown SoC is taken to be at the mean of the others."""
    known = [(b.soc_percent, b.size(ask.charging)) for b in ask.batteries if b.soc_percent is not None]
    mean = fsum(soc * size for soc, size in known) / fsum(size for _, size in known) if known else 0.0
    vessels = []
    for battery in ask.batteries:
        room = battery.room_watts(ask.charging)
        if room > 0:
            soc = mean if battery.soc_percent is None else battery.soc_percent
            width = battery.size(ask.charging) / 100 / LEVELLING_H
            vessels.append(_Vessel(battery.name, soc if ask.charging else -soc, width, room))
    return vessels


def _fill(amount_watts: float, vessels: Sequence[_Vessel]) -> dict[str, float]:
    """The part of each vessel. Where all are full together, each part is its room."""
    if fsum(v.room_watts for v in vessels) <= amount_watts:
        return {v.name: v.room_watts for v in vessels}
    level = _level(amount_watts, vessels)
    return {v.name: v.filled_watts(level) for v in vessels}


def _level(amount_watts: float, vessels: Sequence[_Vessel]) -> float:
    """The common level at which they hold `amount_watts` together: at each bottom the water gets wider."""
    edges = sorted([(v.bottom, v.watts_per_level) for v in vessels] + [(v.top, -v.watts_per_level) for v in vessels])
    level, width, left = edges[0][0], 0.0, amount_watts
    for edge, change in edges:
        poured = (edge - level) * width
        if poured >= left and width > 0:
            break
        left -= poured
        level = edge
        width += change
    return level + left / width if width > 0 else level


def _reason(part_watts: float, soc_percent: float | None, charging: bool) -> Reason:
    if part_watts > 0:
        return because("share_to_equal_soc", percent=soc_percent)
    return because("waits_for_emptier" if charging else "waits_for_fuller", percent=soc_percent)
