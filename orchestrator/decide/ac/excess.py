"""Whether a limit on AC power is exceeded, and for how many steps: whether charging that was expected comes."""

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


class Excess(Struct, frozen=True):
    """Whether more is made than a limit allows, and for how many `steps` that has been so."""

    is_exceeded: bool
    steps: int = 0

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
    """The excess of this step, after what is remembered of those before.

    A step without one takes back one step, not all: a load that is seen late hides an excess for a moment.
    """
    above_export = -inf if export_limit_watts is None else plant.ac_watts - load_watts - export_limit_watts
    above_generation = -inf if generation_limit_watts is None else plant.generated_watts - generation_limit_watts
    tolerance = max(EXCESS_PART_OF_RATING * plant.rating_watts, EXCESS_LEAST_WATTS)
    if max(above_export, above_generation) <= tolerance:
        return Excess(False, max(before.excess_steps - 1, 0))
    return Excess(True, before.excess_steps + 1)
