"""The load of the site from the meter and the AC power of the inverters, robust against readings of different age.

    load_watts = site_watts + sum(ac_watts)

It needs no battery term, because AC power already contains the battery. An inverter that does not answer is left out:
what it makes counts as negative load.
"""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator.decide.memory import LoadEstimate
from orchestrator.decide.plant.units import Plant, Unit
from orchestrator.samples import MeterSample

MOVING_PART_OF_RATING = 0.04
"""A sum of AC that moves by more than this part of nameplate a step makes the estimate doubtful."""

DOUBT_S = 3.0
"""A value that the meter has shown for so long is not of another moment than the AC power of then: no more doubt."""

OUTDATED_S = 0.4
"""An inverter's reading that is so much older than the meter's is of another moment."""


def estimate_load(before: LoadEstimate | None, meter: MeterSample, plant: Plant) -> LoadEstimate:
    """The load now.

    A meter that still shows the value of the last step says nothing of AC power that has moved since: the load is
    taken to be unchanged. While AC power moves, the lower of the last two estimates is taken when it rises, the higher
    when it falls, because readings that are not of one moment differ by as much as it moved; by more than that the
    load itself has moved. It does not rise while an old reading shows more AC power than its inverter was told to make
    since, as behind a slow gateway: what the meter sees less of is that fall. When another set of inverters answers
    than before, the estimate starts anew.
    """
    seen = frozenset(u.name for u in plant.units if u.sample.ac_watts is not None)
    if before is not None and before.inverters != seen:
        before = None
    if before is not None and meter.changed_at_s == before.meter_changed_at_s:
        believed = meter.at_s - meter.changed_at_s >= DOUBT_S
        return replace(before, load_watts=before.raw_watts if believed else before.load_watts, ac_watts=plant.ac_watts)
    raw = meter.site_watts + plant.ac_watts
    if before is not None and any(_has_fallen_since(unit, meter) for unit in plant.units):
        raw = min(raw, before.raw_watts)
    load = raw
    moved = 0.0 if before is None else plant.ac_watts - before.ac_watts
    if before is not None and abs(moved) > MOVING_PART_OF_RATING * plant.rating_watts:
        lower, higher = sorted((raw, before.raw_watts))
        load = max(lower, raw - moved) if moved > 0 else min(higher, raw - moved)
    return LoadEstimate(load, raw, plant.ac_watts, meter.changed_at_s, seen)


def _has_fallen_since(unit: Unit, meter: MeterSample) -> bool:
    """Whether its reading is old, and shows clearly more than the limit that it was told."""
    if meter.at_s - unit.sample.at_s < OUTDATED_S or unit.rating_watts is None:
        return False
    told = unit.memory.limit.watts
    return told is not None and unit.ac_watts > told + MOVING_PART_OF_RATING * unit.rating_watts
