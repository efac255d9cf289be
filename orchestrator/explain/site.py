"""Why the site decided as it did: its battery power, and what cannot be kept or served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import fsum, inf

from orchestrator.decide.ac.room import is_binding
from orchestrator.decide.allocation.spread import Allocation
from orchestrator.decide.battery.sharing import LOAD_LIMIT
from orchestrator.decide.plant.phases import PhaseRoom
from orchestrator.decide.records import SiteFacts
from orchestrator.explain.bounds import charge_bound, discharge_bound, grid_bound
from orchestrator.explain.limit import of_binding, of_room
from orchestrator.reason import Fact, Reason, because
from orchestrator.setpoints.merge import OperatingEnvelope
from orchestrator.setpoints.values import PriorityMode

NOTICEABLE_WATTS = 50.0
"""Less than this needs no reason."""


def of_flow(facts: SiteFacts) -> Reason:
    """Why the batteries charge, discharge or idle, and why it is not more."""
    watts = abs(facts.flow.target_battery_power_watts)
    match facts.flow.battery_mode:
        case "charge":
            return because("charge", watts=watts, why=_why_charge(facts))
        case "discharge":
            return because("discharge", watts=watts, why=_why_discharge(facts))
    return because("idle", why=_why_idle(facts))


def of_what_differs(facts: SiteFacts) -> Iterator[Reason]:
    """Where that is not just what is seen, or not just what is spread."""
    target_watts, hidden_watts = facts.flow.target_battery_power_watts, facts.balance.hidden_watts
    if hidden_watts >= NOTICEABLE_WATTS and facts.answers_import:
        yield because("import_left_to_ac_limits", watts=hidden_watts)
    elif hidden_watts >= NOTICEABLE_WATTS and target_watts > facts.available_watts - hidden_watts:
        yield because("tries_hidden_pv", watts=hidden_watts)
    if facts.displaced_watts >= 1:
        yield because("tries_less_discharge", watts=facts.displaced_watts)
    elif abs(facts.target_watts - target_watts) >= 1:
        yield because("held", watts=abs(facts.target_watts), why=_why_held(facts))


def of_what_is_not_kept(facts: SiteFacts, allocation: Allocation) -> Iterator[Reason]:
    """Which limits cannot be kept, by how much, and what binds; what is asked of batteries and not served."""
    yield from _of_import(facts, allocation)
    yield from _of_ac(facts)
    binding, unserved_watts = allocation.binding, abs(allocation.unserved_watts)
    if binding and unserved_watts >= NOTICEABLE_WATTS:
        if binding[0].code == LOAD_LIMIT:
            envelope = facts.envelope
            watts, source = envelope.fields.load_limit_watts or 0.0, envelope.whose("load_limit_watts")
            binding = (because("load_limit", watts=watts, source=source),)
        yield because("not_served", watts=unserved_watts, why=binding)


def of_ac(facts: SiteFacts) -> Iterator[Reason]:
    """What holds AC power down, where anything does."""
    can_be_limited = any(u.limitable for u in facts.plant.units)
    if can_be_limited and not facts.is_off and is_binding(facts.plant, facts.limits.room_watts):
        yield because("ac_held_down", why=of_room(facts.limits))


def of_phases(facts: SiteFacts, rooms: Sequence[PhaseRoom]) -> Iterator[Reason]:
    """What the limits on each phase do; nothing where limits hold for the sum alone."""
    if facts.phases_known is False:
        yield because("phases_unknown")
    for phase, watts in facts.phase_help_watts.items():
        if watts > 0:
            yield because("batteries_help_phase", phase=phase, watts=watts)
        else:
            yield because("batteries_give_for_phase", phase=phase, watts=-watts)
    for each in rooms:
        if each.binds:
            yield because("phase_leaves_room", phase=each.phase, limit_watts=each.limit_watts, watts=each.room_watts)


def _why_held(facts: SiteFacts) -> Reason:
    if facts.disturbed and facts.target_watts > facts.flow.target_battery_power_watts:
        return because("not_for_a_question")
    return because("too_little_to_turn") if facts.target_watts == 0 else because("small_change")


def _why_charge(facts: SiteFacts) -> Reason:
    envelope, wanted, watts = facts.envelope, facts.envelope.fields, facts.flow.target_battery_power_watts
    bound = charge_bound(facts)
    if wanted.battery_target_watts is not None:
        return _asked_for(facts, bound)
    if wanted.battery_grid_charging_enabled and watts > max(facts.available_watts, 0.0):
        source = envelope.whose("battery_grid_charging_enabled")
        return because("from_grid", source=source, bound=bound or grid_bound(facts))
    if not any(b.below_target for b in facts.plant.batteries):
        limit_watts, source = wanted.export_limit_watts or 0.0, envelope.whose("export_limit_watts")
        return because("surplus_refused", watts=limit_watts, source=source, bound=bound)
    source = envelope.whose("battery_priority_mode")
    if wanted.battery_priority_mode == PriorityMode.EXPORT_FIRST:
        return because("surplus_after_export", source=source, bound=bound)
    return because("surplus", source=source, bound=bound)


def _why_discharge(facts: SiteFacts) -> Reason:
    envelope, wanted = facts.envelope, facts.envelope.fields
    export_target, export_limit = wanted.battery_export_target_watts, wanted.export_limit_watts
    bound = discharge_bound(facts)
    if not bound and export_target and export_limit is not None and export_limit < export_target:
        bound = because("export_limit", watts=export_limit, source=envelope.whose("export_limit_watts"))
    if wanted.battery_target_watts is not None:
        return _asked_for(facts, bound)
    if wanted.battery_grid_charging_enabled:
        return because("import_above_limit", source=envelope.whose("import_limit_watts"), bound=bound)
    if facts.available_watts < 0 and not export_target:
        return because("covers_load", bound=bound)
    source = envelope.whose("battery_export_target_watts")
    return because("export_target", watts=export_target or 0.0, source=source, bound=bound)


def _asked_for(facts: SiteFacts, bound: Reason | None) -> Reason:
    """The power itself is asked for; `bound` or the limits at the meter keep the batteries from it, where they do."""
    asked_watts = facts.envelope.fields.battery_target_watts or 0.0
    if abs(asked_watts - facts.flow.target_battery_power_watts) < NOTICEABLE_WATTS:
        bound = None
    elif bound is None:
        bound = because("target_leaves")
    return because(
        "battery_target", watts=asked_watts, source=facts.envelope.whose("battery_target_watts"), bound=bound
    )


def _why_idle(facts: SiteFacts) -> Reason:
    envelope, available_watts = facts.envelope, facts.available_watts
    if envelope.fields.battery_target_watts is not None:
        return _asked_for(facts, None)
    if available_watts <= -NOTICEABLE_WATTS:
        if envelope.fields.battery_grid_charging_enabled:
            return _no_charge_needed(envelope)
        return because("load_not_covered", bound=discharge_bound(facts, at_watts=0.0))
    if available_watts < NOTICEABLE_WATTS and not any(u.curtailed for u in facts.plant.units):
        return because("nothing_to_do")
    return _why_not_charged(facts)


def _why_not_charged(facts: SiteFacts) -> Reason:
    """There is a surplus, or PV that a limit hides."""
    envelope, batteries = facts.envelope, facts.plant.batteries
    if not any(b.below_max for b in batteries):
        return because("all_full")
    if bound := charge_bound(facts):
        return because("no_battery_may_charge", bound=bound)
    if facts.available_watts < NOTICEABLE_WATTS:
        return because("nothing_seen_to_charge_with")
    if envelope.fields.battery_grid_charging_enabled:
        return _no_charge_needed(envelope)
    if any(b.below_target for b in batteries):
        return because("exported_first", source=envelope.whose("battery_priority_mode"))
    return because("exported_at_target", source=envelope.whose("battery_target_soc_percent"))


def _no_charge_needed(envelope: OperatingEnvelope) -> Reason:
    return because("no_charge_needed", source=envelope.whose("battery_grid_charging_enabled"))


def _of_import(facts: SiteFacts, allocation: Allocation) -> Iterator[Reason]:
    limit = facts.envelope.fields.import_limit_watts
    if limit is None or facts.balance.hidden_watts >= NOTICEABLE_WATTS:
        return  # what hidden PV can cover, rising AC limits will
    served = fsum(share.watts for share in allocation.shares.values())
    planned = facts.balance.load_watts if facts.is_off else served - facts.available_watts
    above = planned - limit
    if above >= NOTICEABLE_WATTS and (why := _what_binds(facts, allocation)):
        source = facts.envelope.whose("import_limit_watts")
        yield because("import_limit_not_kept", limit_watts=limit, source=source, watts=above, why=why)


def _what_binds(facts: SiteFacts, allocation: Allocation) -> Fact:
    """What keeps batteries from giving more: a switch, the limit of each, or that of all; None where nothing does."""
    if facts.envelope.fields.energize is False:
        return because("energize_false", source=facts.envelope.whose("energize"))
    if facts.envelope.fields.connect is False:
        return because("connect_false", source=facts.envelope.whose("connect"))
    if allocation.binding:
        return allocation.binding
    bound = discharge_bound(facts)
    return because("batteries_give", bound=bound) if bound else None


def _of_ac(facts: SiteFacts) -> Iterator[Reason]:
    """More is made by inverters that cannot be limited than the limits leave for all."""
    room = facts.limits.room_watts
    theirs = {u.name: u.ac_watts for u in facts.plant.units if not u.limitable and not u.battery and u.ac_watts > 0}
    above = fsum(theirs.values()) - (inf if room is None else room)
    if above >= NOTICEABLE_WATTS and not facts.is_off:
        names = ", ".join(sorted(theirs))
        yield because("ac_limit_not_kept", limit=of_binding(facts.limits), watts=above, names=names)
