"""Own PV that is stored behind an AC limit of nothing, and may feed other batteries in its place.

Batteries that are to come to one state of charge should not wait for one that its own PV fills. It gives up what is
beyond its share once the others take that from AC: then the room for AC rises by it in the same step, its PV comes
through its own AC limit, and none is lost.
"""

from __future__ import annotations

from math import fsum
from typing import Final

from orchestrator.decide.ac.room import newly_fed_watts
from orchestrator.decide.allocation.spread import Allocation
from orchestrator.decide.battery.own_pv import is_open
from orchestrator.decide.plant.units import Plant

FED_PART: Final = 0.75
"""The target of all batteries stands still for small changes, so they may be asked for a little less than they take:
room for this part of what is given up is enough."""


def feeds_the_others(plant: Plant, kept: Allocation, levelled: Allocation) -> bool:
    """Whether others take from AC what the levelled shares leave of what the kept ones store of own PV.

    Those do not that have hidden PV of their own, or an open window, or that stop following.
    """
    given_up_watts = fsum(max(kept.watts(u.name) - levelled.watts(u.name), 0.0) for u in plant.units if is_open(u))
    if not given_up_watts:
        return False
    fed_watts = newly_fed_watts(plant, {name: share.watts for name, share in levelled.shares.items()})
    return fed_watts >= FED_PART * given_up_watts
