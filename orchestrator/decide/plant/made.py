"""What inverters made when the meter fell silent: with the meter back, AC limits need not find it out step by step.

In the failsafe nobody's limit rises for it. Afterwards a limit is still a share of the room, as ever; only the default
rise is left out, and batteries count on that PV for some seconds. Where site.yaml sets a ramp, that holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum

from msgspec.structs import replace

from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import Made
from orchestrator.decide.plant.units import Plant, Unit

REMEMBERED_S = 120.0
"""After a longer silence the sun is another one, and nothing is counted on."""

COUNTED_ON_S = 4.0
"""So long after the meter is back: by then it shows, or is gone."""

MADE_AGAIN_PART = 0.95
"""One that makes this part of it again needs it no longer."""


def remember_made(unit: Unit, *, failsafe: bool, now_s: float) -> Made | None:
    """What to remember of what it made before the meter fell silent."""
    made = unit.memory.made
    if failsafe:
        return Made(_pv_at_ac_watts(unit), now_s) if made is None or made.back_at_s is not None else made
    if made is None or not made_watts(unit, now_s):
        return None
    return replace(made, back_at_s=now_s) if made.back_at_s is None else made


def made_watts(unit: Unit, now_s: float) -> float:
    """AC power in W that its PV made before and is counted on to make again; 0 where it is not, or does so already."""
    made = unit.memory.made
    if made is None or unit.config.ramp_watts_per_s is not None or now_s - made.at_s > REMEMBERED_S:
        return 0.0
    if made.back_at_s is not None and now_s - made.back_at_s >= COUNTED_ON_S:
        return 0.0
    return 0.0 if _pv_at_ac_watts(unit) >= MADE_AGAIN_PART * made.watts else made.watts


def _pv_at_ac_watts(unit: Unit) -> float:
    return max(unit.ac_watts + min(unit.battery_watts, 0.0), 0.0)


def made_by_name(config: SiteConfig, plant: Plant, now_s: float) -> dict[str, float]:
    """The same of each inverter that can be limited; nothing where the AC limits of the site have a ramp."""
    if config.control.ramp_watts_per_s is not None:
        return {}
    watts = {u.name: made_watts(u, now_s) for u in plant.units if u.limitable}
    return {name: each for name, each in watts.items() if each}


def still_missing_watts(plant: Plant, made: Mapping[str, float]) -> float:
    """How much of it is not made yet, in W."""
    return fsum(max(made[u.name] - max(u.ac_watts, 0.0), 0.0) for u in plant.units if u.name in made)
