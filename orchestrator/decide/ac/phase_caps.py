"""The most that each inverter may make so that every phase keeps its export limit.

Each phase hands out its room as a site does (`room`). An inverter with three phases gives the same to each, so it gets
three times what the narrowest of them leaves to it; what it leaves on the others goes to the inverters that are on
these alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum, inf

from msgspec.structs import replace

from orchestrator.decide.ac.excess import Excess, watch_excess
from orchestrator.decide.ac.limit import without_stubborn
from orchestrator.decide.ac.room import (
    hand_out_room,
    is_binding,
    newly_fed_watts,
    no_longer_drawn_watts,
    room_for_ac,
)
from orchestrator.decide.memory import SiteMemory
from orchestrator.decide.plant.phases import PHASES, PhaseCaps, PhaseRoom, SeenPhase, SeenPhases


def phase_caps(
    seen: SeenPhases,
    targets_watts: Mapping[str, float],
    expected: Mapping[str, float],
    *,
    dt_s: float,
    now_s: float,
    made_watts: Mapping[str, float],
) -> PhaseCaps:
    """What the limits of the phases leave to each inverter, with these new battery targets (charging +)."""
    watched = [(each, _excess(each)) for each in seen.phases]
    handed: dict[int, dict[str, float]] = {}
    rooms: list[PhaseRoom] = []
    for phase, excess in watched:
        if phase.export_limit_watts is None:
            continue
        targets = seen.of_phase(targets_watts, phase.phase)
        room_watts = _room(phase, targets, lasts=excess.lasts)
        given = _hand_out(
            phase,
            room_watts,
            targets,
            seen.of_phase(expected, phase.phase),
            dt_s=dt_s,
            now_s=now_s,
            made_watts=seen.of_phase({n: w for n, w in made_watts.items() if n in seen.parts}, phase.phase),
        )
        handed[phase.phase] = given
        binds = excess.is_exceeded or is_binding(phase.plant, room_watts)
        rooms.append(PhaseRoom(phase.phase, phase.export_limit_watts, room_watts, binds))
    caps = _of_three(seen, handed)
    for phase, _ in watched:
        if phase.phase in handed:
            caps |= _of_one(seen, phase, caps, handed[phase.phase])
    memories = tuple(replace(each.memory, excess_steps=excess.steps) for each, excess in watched)
    return PhaseCaps(caps, tuple(rooms), any(excess.is_exceeded for _, excess in watched), memories)


def within_caps(limits_watts: Mapping[str, float], caps: PhaseCaps | None) -> dict[str, float]:
    """The same AC limits, none above its cap; one that has no limit yet gets it from there."""
    if caps is None:
        return dict(limits_watts)
    return {**limits_watts, **{name: min(limits_watts.get(name, inf), cap) for name, cap in caps.watts.items()}}


def _excess(phase: SeenPhase) -> Excess:
    before = SiteMemory(excess_steps=phase.memory.excess_steps)
    return watch_excess(
        phase.plant,
        before,
        load_watts=phase.load_watts,
        export_limit_watts=phase.export_limit_watts,
        generation_limit_watts=None,
    )


def _room(phase: SeenPhase, targets: Mapping[str, float], *, lasts: bool) -> float:
    fed_watts = 0.0 if lasts else newly_fed_watts(phase.plant, targets)
    room = room_for_ac(
        phase.plant,
        load_watts=phase.load_watts,
        export_limit_watts=phase.export_limit_watts,
        generation_limit_watts=None,
        fed_watts=fed_watts - no_longer_drawn_watts(phase.plant, targets),
    )
    return room or 0.0


def _hand_out(
    phase: SeenPhase,
    room_watts: float,
    targets: Mapping[str, float],
    expected: Mapping[str, float],
    *,
    dt_s: float,
    now_s: float,
    made_watts: Mapping[str, float],
) -> dict[str, float]:
    """One that makes more than its limit for long is taken at its word: the others have what it leaves."""
    limits, others, left_watts = without_stubborn(phase.plant, room_watts, now_s)
    import_watts = phase.load_watts - phase.plant.ac_watts - (phase.export_limit_watts or 0.0)
    given = hand_out_room(
        others, left_watts, targets, expected, dt_s=dt_s, made_watts=made_watts, import_watts=import_watts
    )
    return {**limits, **given}


def _of_three(seen: SeenPhases, handed: Mapping[int, Mapping[str, float]]) -> dict[str, float]:
    """What the narrowest phase leaves to each inverter that is on all of them."""
    three = [name for name, parts in seen.parts.items() if all(parts)]
    narrowest = {name: [given[name] for given in handed.values() if name in given] for name in three}
    return {name: PHASES * min(given) for name, given in narrowest.items() if given}


def _of_one(
    seen: SeenPhases, phase: SeenPhase, caps: Mapping[str, float], given: Mapping[str, float]
) -> dict[str, float]:
    """What is left on a phase to those that are on it alone, where those with three phases take less than it gave."""
    alone = {name: watts for name, watts in given.items() if not all(seen.parts[name])}
    unused = fsum(given[name] - caps[name] / PHASES for name in given if name in caps)
    if not alone or unused <= 0:
        return alone
    limitable = {u.name: u.rating_watts or 0.0 for u in phase.plant.units if u.name in alone}
    missing = {name: max(limitable[name] - watts, 0.0) for name, watts in alone.items()}
    total = fsum(missing.values())
    part = min(unused / total, 1.0) if total else 0.0
    return {name: watts + part * missing[name] for name, watts in alone.items()}
