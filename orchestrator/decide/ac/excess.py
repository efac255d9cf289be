"""By how much a limit on AC power is exceeded, and for how many steps: whether charging that was expected comes."""

from __future__ import annotations

from math import inf

from msgspec import Struct

from orchestrator.decide.memory import SiteMemory
from orchestrator.decide.plant.units import Plant

EXCESS_PART_OF_RATING = 0.004
EXCESS_LEAST_WATTS = 25.0
"""Above this a limit counts as exceeded, and even a small reduction is written."""

EXCESS_STEPS = 2
"""After so many steps above a limit only charging that is seen makes room for AC: what was expected did not come."""

MORE_THAN_HEADROOM_PART_OF_RATING = 0.012
SMALL_EXCESS_PART_OF_RATING = 0.1
HALF = 0.5
"""A step counts for that where the excess is more than the headroom beside the room and noise explain, unless it is
small by now and no more than half of that of the step before."""


class Excess(Struct, frozen=True):
    """What is made above a limit: `watts` in the last of so many `steps` that count, 0 where none does."""

    is_exceeded: bool
    steps: int = 0
    watts: float = 0.0

    @property
    def lasts(self) -> bool:
        """Whether nothing is to be expected any more of what is not seen."""
        return self.steps > EXCESS_STEPS


def watch_excess(
    plant: Plant,
    before: SiteMemory,
    *,
    load_watts: float,
    export_limit_watts: float | None,
    generation_limit_watts: float | None,
) -> Excess:
    """The excess of this step, after what is remembered of those before."""
    above_export = -inf if export_limit_watts is None else plant.ac_watts - load_watts - export_limit_watts
    above_generation = -inf if generation_limit_watts is None else plant.generated_watts - generation_limit_watts
    watts = max(above_export, above_generation)
    is_exceeded = watts > max(EXCESS_PART_OF_RATING * plant.rating_watts, EXCESS_LEAST_WATTS)
    if watts <= max(MORE_THAN_HEADROOM_PART_OF_RATING * plant.rating_watts, EXCESS_LEAST_WATTS):
        return Excess(is_exceeded)
    small = watts <= SMALL_EXCESS_PART_OF_RATING * plant.rating_watts
    comes = small and watts <= HALF * before.excess_watts and before.excess_steps > 0
    return Excess(is_exceeded, before.excess_steps + (not comes), watts)
