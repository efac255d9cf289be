"""Why the site decided as it did: the words for its battery power, and for what cannot be kept or served."""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum, inf

from orchestrator.decide.ac.room import is_binding
from orchestrator.decide.allocation.spread import Allocation
from orchestrator.decide.battery.sharing import LOAD_LIMIT
from orchestrator.decide.records import SiteFacts
from orchestrator.explain.bounds import charge_bound, discharge_bound, grid_bound
from orchestrator.setpoints.merge import OperatingEnvelope
from orchestrator.setpoints.values import PriorityMode

NOTICEABLE_WATTS = 50.0
"""Less than this needs no words."""


def of_flow(facts: SiteFacts) -> Iterator[str]:
    """Why the batteries charge, discharge or idle, and why it is not more."""
    flow, seen_watts = facts.flow, facts.available_watts - facts.balance.hidden_watts
    hidden_watts, target_watts = facts.balance.hidden_watts, flow.target_battery_power_watts
    words = {"charge": _why_charge, "discharge": _why_discharge, "idle": _why_idle}[flow.battery_mode]
    watts = "" if flow.battery_mode == "idle" else f" {abs(target_watts):.0f} W"
    yield f"{flow.battery_mode}{watts}: {words(facts)}"
    if hidden_watts >= NOTICEABLE_WATTS and facts.answers_import:
        yield f"leaves an import of {hidden_watts:.0f} W to the AC limits"
    elif hidden_watts >= NOTICEABLE_WATTS and target_watts > seen_watts:
        yield f"tries for {hidden_watts:.0f} W of PV that a limit may hide"
    if abs(facts.target_watts - target_watts) >= 1:
        yield f"held at {abs(facts.target_watts):.0f} W: {_why_held(facts)}"


def why(facts: SiteFacts) -> str:
    """The same in a few words, for each battery: what the site wants of all of them and what for."""
    return next(of_flow(facts)).removeprefix("idle: ")


def of_what_is_not_kept(facts: SiteFacts, allocation: Allocation) -> Iterator[str]:
    """Which limits cannot be kept, by how much, and what binds; what is asked of batteries and not served."""
    yield from _of_import(facts, allocation)
    yield from _of_ac(facts)
    binding = allocation.binding
    if binding and abs(allocation.unserved_watts) >= NOTICEABLE_WATTS:
        if binding == LOAD_LIMIT:
            limit_watts = facts.envelope.fields.load_limit_watts or 0.0
            binding = f"load limit {limit_watts:.0f} W ({facts.envelope.whose('load_limit_watts')})"
        yield f"{abs(allocation.unserved_watts):.0f} W not served: {binding}"


def of_ac(facts: SiteFacts) -> Iterator[str]:
    """What holds AC power down, where anything does."""
    can_be_limited = any(u.limitable for u in facts.plant.units)
    if can_be_limited and not facts.is_off and is_binding(facts.plant, facts.limits.room_watts):
        yield f"AC held down: {facts.limits.text()}"


def _why_held(facts: SiteFacts) -> str:
    if facts.disturbed and facts.target_watts > facts.flow.target_battery_power_watts:
        return "batteries do not make up for a question to the meter"
    if facts.target_watts == 0:
        return "too little to turn for"
    return "change under 1 %"


def _why_charge(facts: SiteFacts) -> str:
    envelope, wanted, watts = facts.envelope, facts.envelope.fields, facts.flow.target_battery_power_watts
    if wanted.battery_grid_charging_enabled and watts > max(facts.available_watts, 0.0):
        source = envelope.whose("battery_grid_charging_enabled")
        return f"charges from the grid ({source}){charge_bound(facts) or grid_bound(facts)}"
    if not any(b.below_target for b in facts.plant.batteries):
        limit = f"{wanted.export_limit_watts or 0.0:.0f} W ({envelope.whose('export_limit_watts')})"
        words = f"surplus that the export limit of {limit} refuses, above the target"
    elif wanted.battery_priority_mode == PriorityMode.EXPORT_FIRST:
        words = f"surplus that export leaves, export first ({envelope.whose('battery_priority_mode')})"
    else:
        source = envelope.whose("battery_priority_mode")
        words = f"surplus, batteries first{f' ({source})' if source else ''}"
    return words + charge_bound(facts)


def _why_discharge(facts: SiteFacts) -> str:
    envelope, wanted = facts.envelope, facts.envelope.fields
    export_target = wanted.battery_export_target_watts
    if wanted.battery_grid_charging_enabled:
        words = f"import above its limit ({envelope.whose('import_limit_watts')})"
    elif facts.available_watts < 0 and not export_target:
        words = "covers the load"
    else:
        words = (
            f"for the export target of {export_target or 0.0:.0f} W ({envelope.whose('battery_export_target_watts')})"
        )
    bound = discharge_bound(facts)
    limit = wanted.export_limit_watts
    if not bound and export_target and limit is not None and limit < export_target:
        bound = f"export limit {limit:.0f} W ({envelope.whose('export_limit_watts')})"
    return f"{words}, at most {bound}" if bound else words


def _why_idle(facts: SiteFacts) -> str:
    envelope, available_watts = facts.envelope, facts.available_watts
    if available_watts <= -NOTICEABLE_WATTS:
        if envelope.fields.battery_grid_charging_enabled:
            return _no_charge_needed(envelope)
        bound = discharge_bound(facts, at_watts=0.0)
        return f"no battery can cover the load{f', at most {bound}' if bound else ''}"
    if available_watts < NOTICEABLE_WATTS and not any(u.curtailed for u in facts.plant.units):
        return "nothing to charge with and no load to cover"
    return _why_not_charged(facts)


def _why_not_charged(facts: SiteFacts) -> str:
    """There is a surplus, or PV that a limit hides."""
    envelope, batteries = facts.envelope, facts.plant.batteries
    if not any(b.below_max for b in batteries):
        return "no battery takes more: full"
    if bound := charge_bound(facts):
        return f"no battery may charge{bound}"
    if facts.available_watts < NOTICEABLE_WATTS:
        return "nothing to charge with that is seen"
    if envelope.fields.battery_grid_charging_enabled:
        return _no_charge_needed(envelope)
    if any(b.below_target for b in batteries):
        return f"the surplus is exported, export first ({envelope.whose('battery_priority_mode')})"
    return f"the surplus is exported, batteries are at their target ({envelope.whose('battery_target_soc_percent')})"


def _no_charge_needed(envelope: OperatingEnvelope) -> str:
    return f"grid charging enabled ({envelope.whose('battery_grid_charging_enabled')}), no charge needed"


def _of_import(facts: SiteFacts, allocation: Allocation) -> Iterator[str]:
    limit = facts.envelope.fields.import_limit_watts
    if limit is None or facts.balance.hidden_watts >= NOTICEABLE_WATTS:
        return  # what hidden PV can cover, rising AC limits will
    served = fsum(share.watts for share in allocation.shares.values())
    planned = facts.balance.load_watts if facts.is_off else served - facts.available_watts
    above = planned - limit
    gives = discharge_bound(facts)
    binds = _off_words(facts) or allocation.binding or (gives and f"batteries give at most {gives}")
    if above >= NOTICEABLE_WATTS and binds:
        source = facts.envelope.whose("import_limit_watts")
        yield f"import limit {limit:.0f} W ({source}) cannot be kept, exceeded by {above:.0f} W: {binds}"


def _off_words(facts: SiteFacts) -> str:
    """Which switch keeps everything from giving power; "" where none does."""
    for field in ("energize", "connect"):
        if getattr(facts.envelope.fields, field) is False:
            return f"{field} false ({facts.envelope.whose(field)})"
    return ""


def _of_ac(facts: SiteFacts) -> Iterator[str]:
    """More is made by inverters that cannot be limited than the limits leave for all."""
    room = facts.limits.room_watts
    theirs = {u.name: u.ac_watts for u in facts.plant.units if not u.limitable and not u.battery and u.ac_watts > 0}
    above = fsum(theirs.values()) - (inf if room is None else room)
    if above >= NOTICEABLE_WATTS and not facts.is_off:
        names = ", ".join(sorted(theirs))
        yield f"{facts.limits.binding_text()} cannot be kept, exceeded by {above:.0f} W: {names} cannot be limited"
