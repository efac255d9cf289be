"""What one step decides of AC power: the room for it, the share of each inverter, and how fast limits may rise."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.config.policy import export_limit_watts
from orchestrator.decide.ac.excess import watch_excess
from orchestrator.decide.ac.limit import share_rise, without_stubborn
from orchestrator.decide.ac.phase_caps import phase_caps, within_caps
from orchestrator.decide.ac.room import (
    NOTHING_MADE,
    UNUSED_PART_OF_SITE,
    expected_watts,
    hand_out_room,
    newly_fed_watts,
    no_longer_drawn_watts,
    not_above,
    room_for_ac,
)
from orchestrator.decide.allocation.spread import Allocation
from orchestrator.decide.meter.question import lowered
from orchestrator.decide.meter.votes import has_just_spoken_against
from orchestrator.decide.plant.phases import PhaseCaps, SeenPhases
from orchestrator.decide.plant.units import Plant, found_limits_watts
from orchestrator.decide.records import Inputs, Limiting

DOUBTED_RISE_PART = 0.15
"""The first large move that speaks against the meter is followed by a rise of AC limits that is so much slower: moves
that are alike count once, so a wrong sign is proven sooner, and less is exported until then."""


def limit_ac(
    inputs: Inputs,
    plant: Plant,
    load_watts: float,
    allocation: Allocation,
    *,
    displacing: bool,
    storable_watts: float,
    phases: SeenPhases | None = None,
) -> Limiting:
    """The room for AC power with the new shares of the batteries, and the share of each inverter in it.

    `storable_watts` is what all batteries together may take on top of their target. What they are about to take makes
    room at once, also where no limit binds yet: PV that starts would meet limits that the next step lifts again.
    """
    export_limit = export_limit_watts(inputs.config, inputs.wanted)
    generation_limit = inputs.wanted.generation_limit_watts
    excess = watch_excess(
        plant,
        inputs.state.site,
        load_watts=load_watts,
        export_limit_watts=export_limit,
        generation_limit_watts=generation_limit,
    )
    targets_watts = {name: share.watts for name, share in allocation.shares.items()}
    expected = {u.name: expected_watts(u, targets_watts) for u in plant.units}
    room_watts = room_for_ac(
        plant,
        load_watts=load_watts,
        export_limit_watts=export_limit,
        generation_limit_watts=generation_limit,
        fed_watts=(0.0 if excess.lasts else newly_fed_watts(plant, targets_watts))
        - no_longer_drawn_watts(plant, targets_watts),
    )
    caps = None if phases is None else _caps(inputs, phases, targets_watts, expected)
    # No more than the export limit may be an export that a wrong sign of the meter shows as import.
    import_watts = load_watts - plant.ac_watts - (export_limit or 0.0)
    limits_watts: dict[str, float] = {}
    if room_watts is not None:
        limits_watts, others, room_watts = without_stubborn(plant, room_watts, inputs.now_s)
        limits_watts |= hand_out_room(
            others,
            room_watts,
            targets_watts,
            expected,
            dt_s=inputs.dt_s,
            displacing=displacing,
            made_watts=inputs.made_watts,
            import_watts=import_watts,
            storable_watts=storable_watts,
            caps_watts=caps.watts if caps else NOTHING_MADE,
        )
    limits_watts = within_caps(limits_watts, caps)
    if inputs.envelope.unheard:
        limits_watts = not_above(found_limits_watts(inputs.state, plant), limits_watts)
    question = inputs.trust.question
    left_watts = lowered(question, limits_watts, plant, inputs.now_s)
    return Limiting(
        room_watts,
        left_watts,
        expected,
        _rise_watts_per_s(inputs, plant, left_watts, import_watts),
        excess.is_exceeded or question.is_open or (caps is not None and caps.exceeded),
        excess.steps,
        export_limit_watts=export_limit,
        generation_limit_watts=generation_limit,
        phases=caps,
    )


def _caps(
    inputs: Inputs, phases: SeenPhases, targets_watts: Mapping[str, float], expected: Mapping[str, float]
) -> PhaseCaps:
    return phase_caps(
        phases, targets_watts, expected, dt_s=inputs.dt_s, now_s=inputs.now_s, made_watts=inputs.made_watts
    )


def _rise_watts_per_s(
    inputs: Inputs, plant: Plant, limits_watts: Mapping[str, float], import_watts: float
) -> dict[str, float]:
    """How fast each AC limit may rise, in W a second. `import_watts` is what no export limit explains."""
    is_doubted = has_just_spoken_against(inputs.trust.sign, plant.rating_watts)
    importing = not is_doubted and import_watts > UNUSED_PART_OF_SITE * plant.rating_watts
    rates = share_rise(inputs.config.control.ramp_watts_per_s, plant.units, limits_watts, importing=importing)
    return {name: DOUBTED_RISE_PART * rate for name, rate in rates.items()} if is_doubted else dict(rates)
