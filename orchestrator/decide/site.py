"""What is decided for the site as a whole: its load, its battery target and the shares of it, and the room for AC.

load -> hidden surplus -> power flow -> battery shares -> room for AC
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum, inf

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.config.policy import export_limit_watts
from orchestrator.decide.ac.curtailment import HiddenSurplus, hidden_surplus
from orchestrator.decide.ac.displaced import Displaced, displaced_pv
from orchestrator.decide.ac.levelled import feeds_the_others
from orchestrator.decide.ac.limit import rise_watts_per_s
from orchestrator.decide.ac.limiting import limit_ac
from orchestrator.decide.allocation.fewest_units import remember_use
from orchestrator.decide.allocation.spread import Allocation, BatteryUse
from orchestrator.decide.battery.holding import windows_without_meter
from orchestrator.decide.battery.own_pv import is_open, may_open
from orchestrator.decide.battery.phase_help import NO_HELP, help_phases
from orchestrator.decide.battery.sharing import Sharing, share_target
from orchestrator.decide.battery.target import (
    Balance,
    charge_max_watts,
    charge_ramp_watts,
    decide_flow,
    discharge_max_watts,
    generation_leaves_watts,
    is_on_ramp,
    settle_target,
    within_site_limits,
)
from orchestrator.decide.failsafe import safe_limits, safe_room_watts
from orchestrator.decide.memory import MeterFault, Pending, SiteMemory
from orchestrator.decide.plant.load import estimate_load
from orchestrator.decide.plant.made import still_missing_watts
from orchestrator.decide.plant.others import others_watts
from orchestrator.decide.plant.phases import SeenPhases, see_phases, within_each_phase
from orchestrator.decide.plant.units import Plant, Unit
from orchestrator.decide.records import Inputs, Limiting, SiteDecision, SiteFacts, SiteTotals, limits_on_ac
from orchestrator.samples import MeterSample
from orchestrator.setpoints.fields import SetpointFields


def decide(inputs: Inputs, meter: MeterSample) -> SiteDecision:
    """The normal case: everything follows from the load."""
    plant, wanted, before = commanded_plant(inputs), inputs.wanted, inputs.state.site
    load = estimate_load(before.load, meter, plant)
    load_watts = load.load_watts - inputs.unseen_export_watts
    site_watts = load_watts - plant.ac_watts
    charging = _charging(inputs, plant)
    hidden = _hidden(inputs, plant, site_watts, charging.most_watts)
    balance = Balance(load_watts, site_watts, hidden.watts)
    flow = decide_flow(inputs.config, plant, balance, wanted, charging.most_watts)
    on_ramp = is_on_ramp(plant, flow.target_battery_power_watts, charging.limit_watts, charging.ramp_watts)
    displaced = _displaced(inputs, plant, flow.target_battery_power_watts, site_watts)
    wanted_watts = flow.target_battery_power_watts + displaced.watts
    target_watts, pending = _target(inputs, plant, wanted_watts, at_once=on_ramp, moved=displaced.moved)
    allocation = _share(inputs, plant, balance, target_watts)
    phases = _phases(inputs, meter, plant, load.load_watts)
    helped = None if phases is None else help_phases(allocation, plant, phases, wanted, now_s=inputs.now_s)
    if helped is not None:
        allocation, phases = helped.allocation, helped.seen
    limiting = limit_ac(
        inputs,
        plant,
        load_watts,
        allocation,
        displacing=displaced.possible,
        storable_watts=charging.most_watts - target_watts,
        phases=phases,
    )
    memory = SiteMemory(
        load=load,
        target_watts=target_watts,
        changed_at_s=before.changed_at_s if target_watts == before.target_watts else inputs.now_s,
        target_pending=pending,
        import_steps=hidden.import_steps,
        import_watts=hidden.import_watts,
        excess_steps=limiting.excess_steps,
        probe=hidden.probe,
        displaced=displaced.probe,
        uses=_uses(inputs, allocation),
        phases=limiting.phases.memories if limiting.phases else (),
    )
    facts = SiteFacts(
        flow=flow,
        target_watts=target_watts,
        balance=balance,
        plant=plant,
        wanted=wanted,
        limits=limits_on_ac(inputs.envelope, limiting, None),
        answers_import=hidden.import_steps > 0,
        asks_meter=inputs.trust.question.is_open,
        on_ramp=on_ramp,
        displaced_watts=displaced.watts,
        disturbed=inputs.trust.question.disturbs(inputs.now_s),
        phases_known=None if phases is None else phases.is_known,
        phase_help_watts=helped.watts if helped else NO_HELP,
    )
    totals = _totals(inputs, load.load_watts)
    return SiteDecision(
        facts, allocation, limiting, memory, totals, may_open=may_open(plant, inputs.config.control, wanted)
    )


def decide_without_meter(inputs: Inputs, fault: MeterFault) -> SiteDecision:
    """The meter is silent, frozen or reversed: limits that are safe at zero load, batteries hold."""
    beside_watts = others_watts(inputs.config, inputs.state.inverters, inputs.snapshot)
    room = safe_room_watts(inputs.config, inputs.envelope.fields, beside_watts)
    safe = {} if room is None else within_each_phase(inputs.config, safe_limits(inputs.plant, room), room)
    limits = {u.name: min(safe.get(u.name, u.limit_watts), u.limit_watts) for u in inputs.plant.units}
    memory = replace(
        inputs.state.site, load=None, target_watts=0.0, changed_at_s=None, target_pending=None, import_steps=0
    )
    export_limit = inputs.wanted.export_limit_watts
    if export_limit is not None:
        export_limit = min(export_limit, inputs.config.control.failsafe.export_limit_watts)
    limiting = Limiting(
        room,
        limits,
        {},
        {u.name: rise_watts_per_s(u) for u in inputs.plant.units},
        exceeded=True,
        export_limit_watts=export_limit,
        generation_limit_watts=inputs.wanted.generation_limit_watts,
    )
    windows = windows_without_meter(
        inputs.plant,
        limits,
        charge_limit_watts=inputs.wanted.battery_charge_max_watts,
        has_site_ramp=inputs.config.control.ramp_watts_per_s is not None,
        now_s=inputs.now_s,
    )
    return SiteDecision(None, Allocation({}), limiting, memory, _totals(inputs, None), fault, windows)


def commanded_plant(inputs: Inputs) -> Plant:
    """The plant as far as it is to be commanded: with storage mode 0, or while disconnected, batteries are not."""
    if batteries_released(inputs.wanted):
        return Plant(tuple(replace(u, battery=None) for u in inputs.plant.units))
    return inputs.plant


def batteries_released(wanted: SetpointFields) -> bool:
    """Whether batteries are left to themselves."""
    disconnected = wanted.connect is False and wanted.energize is not False
    return disconnected or wanted.battery_storage_mode == 0


def is_held_at_nothing(wanted: SetpointFields, unit: Unit) -> bool:
    """Whether AC power is to be 0 and the battery idle: energize false, or connect false and it does not disconnect."""
    return wanted.energize is False or (wanted.connect is False and unit.stays_connected)


class _Charging(Struct, frozen=True):
    """What all batteries may be charged with, in W, and how far the ramp of the site lets it rise by now."""

    limit_watts: float
    ramp_watts: float

    @property
    def most_watts(self) -> float:
        """The lower of both."""
        return min(self.limit_watts, self.ramp_watts)


def _charging(inputs: Inputs, plant: Plant) -> _Charging:
    limit = charge_max_watts(plant, inputs.wanted)
    rate, before = inputs.config.control.ramp_watts_per_s, inputs.state.site
    return _Charging(limit, charge_ramp_watts(rate, before, limit, now_s=inputs.now_s, dt_s=inputs.dt_s))


def _hidden(inputs: Inputs, plant: Plant, site_watts: float, most_watts: float) -> HiddenSurplus:
    """PV that AC limits hide. Limits that only ask the meter a question hide nothing that is worth a try."""
    before = inputs.state.site
    if inputs.trust.question.disturbs(inputs.now_s):
        return HiddenSurplus(0.0, replace(before.probe, step_watts=0.0), 0)
    found = hidden_surplus(
        plant,
        before,
        site_watts=site_watts,
        charge_max_watts=most_watts,
        now_s=inputs.now_s,
        import_limit_watts=inputs.wanted.import_limit_watts,
        ramp_watts_per_s=inputs.config.control.ramp_watts_per_s,
    )
    if plant.battery_watts <= site_watts:
        return found  # what is seen does not cover the load: batteries give at once, and give way to PV that comes back
    missing_watts = still_missing_watts(plant, inputs.made_watts)
    return replace(found, watts=max(found.watts, missing_watts)) if missing_watts else found


def _displaced(inputs: Inputs, plant: Plant, target_watts: float, site_watts: float) -> Displaced:
    """PV that a hybrid may hold back for its own discharge. Nothing is tried beside a question to the meter."""
    before, import_limit = inputs.state.site.displaced, inputs.wanted.import_limit_watts
    if inputs.trust.question.disturbs(inputs.now_s):
        return Displaced(0.0, replace(before, step_watts=0.0))
    return displaced_pv(
        plant,
        before,
        discharge_watts=max(-target_watts, 0.0),
        leaves_watts=generation_leaves_watts(plant, inputs.wanted),
        import_room_watts=inf if import_limit is None else import_limit - site_watts,
        now_s=inputs.now_s,
    )


def _target(
    inputs: Inputs, plant: Plant, target_watts: float, *, at_once: bool, moved: bool
) -> tuple[float, Pending | None]:
    """The battery target that holds. Batteries do not make up for what a question to the meter takes away."""
    before, question = inputs.state.site, inputs.trust.question
    if moved:
        return within_site_limits(target_watts, inputs.wanted), None
    settled_watts, pending = settle_target(plant, before, target_watts, inputs.now_s, on_ramp=at_once)
    settled_watts = within_site_limits(settled_watts, inputs.wanted)
    if settled_watts < before.target_watts and question.disturbs(inputs.now_s):
        held_watts = min(settled_watts + question.step_watts, before.target_watts)
        return within_site_limits(held_watts, inputs.wanted), None
    return settled_watts, pending


def _share(inputs: Inputs, plant: Plant, balance: Balance, target_watts: float) -> Allocation:
    export_limit = export_limit_watts(inputs.config, inputs.wanted)
    surplus = max(balance.available_watts(plant.battery_watts), 0.0)
    refused = 0.0 if export_limit is None else max(surplus - export_limit, 0.0)
    import_limit = inputs.wanted.import_limit_watts
    sharing = Sharing(
        inputs.config.control,
        inputs.wanted,
        refused,
        inputs.now_s,
        import_room_watts=inf if import_limit is None else balance.available_watts(plant.battery_watts) + import_limit,
        discharge_max_watts=discharge_max_watts(plant, inputs.wanted),
    )
    shares = share_target(plant, target_watts, sharing)
    if not _may_level(inputs, plant):
        return shares
    levelled = share_target(plant, target_watts, replace(sharing, levels=True))
    return levelled if feeds_the_others(plant, shares, levelled) else shares


def _may_level(inputs: Inputs, plant: Plant) -> bool:
    """Whether own PV that is stored behind an AC limit of nothing may go to others: nothing holds that limit down."""
    if inputs.config.control.allocation != "equal_soc" or not any(is_open(u) for u in plant.units):
        return False
    is_exceeded = inputs.state.site.excess_steps > 0
    return not (is_exceeded or inputs.envelope.unheard or inputs.trust.question.disturbs(inputs.now_s))


def _phases(inputs: Inputs, meter: MeterSample, plant: Plant, load_watts: float) -> SeenPhases | None:
    """The phases, where limits hold on each of them."""
    return see_phases(
        inputs.config,
        inputs.state.site.phases,
        meter,
        plant,
        inputs.wanted,
        export_limit_watts=export_limit_watts(inputs.config, inputs.wanted),
        load_watts=load_watts,
    )


def _uses(inputs: Inputs, allocation: Allocation) -> Mapping[str, BatteryUse]:
    """What is remembered for the strategy that lets batteries rest; nothing under the others."""
    if allocation.running is None:
        return {}
    used = frozenset(name for name, share in allocation.shares.items() if share.watts)
    return remember_use(inputs.state.site.uses, allocation.running, used, now_s=inputs.now_s, dt_s=inputs.dt_s)


def _totals(inputs: Inputs, load_watts: float | None) -> SiteTotals:
    plant, meter = inputs.plant, inputs.snapshot.meter
    stored = (u.sample.battery.watts for u in plant.units if u.sample.battery)
    return SiteTotals(
        site_watts=None if load_watts is None or meter is None else meter.site_watts,
        load_watts=load_watts,
        ac_watts=plant.ac_watts,
        pv_watts=fsum(u.pv_watts for u in plant.units),
        battery_watts=fsum(watts for watts in stored if watts is not None),
    )
