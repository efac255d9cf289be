"""One step of the loop: snapshot and envelope in, one command per inverter out.

    load -> hidden surplus -> power flow -> battery shares -> room for AC -> commands

Each step is computed anew from what is seen; what must be remembered goes through `ControlState`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import fsum

from orchestrator import reasons
from orchestrator.ac_limits import expected_watts, hand_out_room, is_binding, newly_fed_watts, room_for_ac
from orchestrator.allocation import Allocation, BatteryUse
from orchestrator.battery_commands import command_battery, is_deaf, must_rest, watch_following
from orchestrator.battery_target import (
    Balance,
    charge_max_watts,
    decide_flow,
    export_limit_watts,
    settle_target,
    share_target,
)
from orchestrator.commands import BatteryCommand, InverterCommand
from orchestrator.config import SiteConfig
from orchestrator.curtailment import hidden_surplus, lost_with_its_battery_watts
from orchestrator.cycle import (
    BatteryMemory,
    ControlState,
    CycleResult,
    Following,
    InverterMemory,
    LimitMemory,
    Mode,
    SiteMemory,
    SiteTotals,
)
from orchestrator.failsafe import hold, limits_stay, safe_limits, safe_room_watts
from orchestrator.limit_commands import command_limit
from orchestrator.live_numbers import learn_responses, live_numbers
from orchestrator.load import estimate_load, is_silent
from orchestrator.meter_trust import MeterFault, MeterTrust, watch_meter
from orchestrator.plant import Plant, Unit, see_plant
from orchestrator.response import Response
from orchestrator.samples import MeterSample, SiteSnapshot
from orchestrator.setpoints import OperatingEnvelope, SetpointFields
from orchestrator.strategies.fewest_units import remember_use

EXCESS_PART_OF_RATING = 0.004
EXCESS_LEAST_WATTS = 25.0
"""Above this a limit counts as exceeded, and even a small reduction is written."""

EXCESS_STEPS = 2
"""After so many steps above a limit only charging that is seen makes room for AC: what was expected did not come."""


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What every part of one step looks at."""

    config: SiteConfig
    state: ControlState
    snapshot: SiteSnapshot
    envelope: OperatingEnvelope
    plant: Plant
    trust: MeterTrust
    started_at_s: float
    now_s: float

    @property
    def wanted(self) -> SetpointFields:
        return self.envelope.fields

    @property
    def dt_s(self) -> float:
        decided_at_s = self.state.decided_at_s
        return self.config.control.interval_s if decided_at_s is None else max(self.now_s - decided_at_s, 0.0)


@dataclass(frozen=True, slots=True)
class _Limiting:
    """The room for AC power in W (None: unlimited), its shares by inverter, and whether a limit is exceeded now."""

    room_watts: float | None
    limits_watts: Mapping[str, float]
    exceeded: bool
    excess_steps: int = 0


@dataclass(frozen=True, slots=True)
class _Decision:
    """What one step decided for the site. `targets_watts` are the shares of the batteries, charging +, by inverter."""

    facts: reasons.SiteFacts | None
    allocation: Allocation
    targets_watts: Mapping[str, float]
    limiting: _Limiting
    memory: SiteMemory
    totals: SiteTotals
    meter_fault: MeterFault | None = None

    @property
    def mode(self) -> Mode:
        return "normal" if self.meter_fault is None else "failsafe"


def step(
    config: SiteConfig, state: ControlState, snapshot: SiteSnapshot, envelope: OperatingEnvelope, now: float
) -> CycleResult:
    """Decide one cycle. `now` is in monotonic seconds, the clock of the snapshot.

    Without a meter that can be believed the failsafe decides. The result carries the state for the next step.
    """
    started_at_s = now if state.started_at_s is None else state.started_at_s
    plant = see_plant(config, state, snapshot, envelope.fields)
    trust = state.trust
    if snapshot.meter is not None:
        trust = watch_meter(trust, snapshot.meter, plant, config.control.interval_s, now)
    inputs = _Inputs(config, state, snapshot, envelope, plant, trust, started_at_s, now)
    silent = is_silent(config, snapshot.meter, started_at_s, now)
    fault = "silent" if silent else trust.fault
    if fault is not None:
        return _result(inputs, _decide_without_meter(inputs, fault))
    if snapshot.meter is None:
        why, waiting = ("waiting for the meter",), replace(state, started_at_s=started_at_s, trust=trust)
        return CycleResult(snapshot, envelope, None, (), why, mode="waiting", state=waiting)
    return _result(inputs, _decide(inputs, snapshot.meter))


def _decide(inputs: _Inputs, meter: MeterSample) -> _Decision:
    """The normal case: everything follows from the load."""
    plant, wanted, before = _commanded(inputs), inputs.wanted, inputs.state.site
    load = estimate_load(before.load, meter, plant)
    site_watts = load.load_watts - plant.ac_watts
    hidden = hidden_surplus(
        plant,
        before,
        site_watts=site_watts,
        charge_max_watts=charge_max_watts(plant, wanted),
        now_s=inputs.now_s,
    )
    balance = Balance(load.load_watts, site_watts, hidden.watts)
    flow = decide_flow(inputs.config, plant, balance, wanted)
    target_watts, pending = settle_target(plant, before, flow.target_battery_power_watts, inputs.now_s)
    allocation = _share(inputs, plant, balance, target_watts)
    targets_watts = {name: share.watts for name, share in allocation.shares.items()}
    limiting = _limit_ac(inputs, plant, load.load_watts, targets_watts)
    memory = SiteMemory(
        load=load,
        target_watts=target_watts,
        target_pending=pending,
        import_steps=hidden.import_steps,
        probe=hidden.probe,
        uses=_uses(inputs, allocation),
        excess_steps=limiting.excess_steps,
    )
    available_watts = balance.available_watts(plant.battery_watts)
    return _Decision(
        facts=reasons.SiteFacts(
            flow, target_watts, available_watts, hidden.watts, hidden.import_steps > 0, bool(plant.batteries)
        ),
        allocation=allocation,
        targets_watts=targets_watts,
        limiting=limiting,
        memory=memory,
        totals=_totals(inputs, load.load_watts),
    )


def _limit_ac(inputs: _Inputs, plant: Plant, load_watts: float, targets_watts: Mapping[str, float]) -> _Limiting:
    """The room for AC power with the new battery targets, and the share of each inverter in it."""
    export_limit = export_limit_watts(inputs.config, inputs.wanted)
    generation_limit = inputs.wanted.generation_limit_watts
    room = partial(
        room_for_ac,
        plant,
        load_watts=load_watts,
        export_limit_watts=export_limit,
        generation_limit_watts=generation_limit,
    )
    exceeded = _exceeds(plant, load_watts, export_limit, generation_limit)
    excess_steps = inputs.state.site.excess_steps + 1 if exceeded else 0
    room_watts = room()
    if is_binding(plant, room_watts) and excess_steps <= EXCESS_STEPS:
        room_watts = room(fed_watts=newly_fed_watts(plant, targets_watts))
    shares_watts = {} if room_watts is None else hand_out_room(plant, room_watts, targets_watts)
    return _Limiting(room_watts, shares_watts, exceeded, excess_steps)


def _decide_without_meter(inputs: _Inputs, fault: MeterFault) -> _Decision:
    """The meter is silent, frozen or reversed: limits that are safe at zero load, batteries hold."""
    room = safe_room_watts(inputs.config, inputs.wanted)
    safe = {} if room is None else safe_limits(inputs.plant, room)
    limits = {u.name: min(safe.get(u.name, u.limit_watts), u.limit_watts) for u in inputs.plant.units}
    memory = replace(inputs.state.site, load=None, target_watts=0.0, target_pending=None, import_steps=0)
    limiting = _Limiting(room, limits, exceeded=True)
    return _Decision(None, Allocation({}), {}, limiting, memory, _totals(inputs, None), fault)


def _commanded(inputs: _Inputs) -> Plant:
    """The plant as far as it is to be commanded: with storage mode 0, or while disconnected, batteries are not."""
    if _batteries_released(inputs.wanted):
        return Plant(tuple(replace(u, battery=None) for u in inputs.plant.units))
    return inputs.plant


def _batteries_released(wanted: SetpointFields) -> bool:
    disconnected = wanted.connect is False and wanted.energize is not False
    return disconnected or wanted.battery_storage_mode == 0


def _share(inputs: _Inputs, plant: Plant, balance: Balance, target_watts: float) -> Allocation:
    export_limit = export_limit_watts(inputs.config, inputs.wanted)
    surplus = max(balance.available_watts(plant.battery_watts), 0.0)
    return share_target(
        config=inputs.config,
        plant=plant,
        target_watts=target_watts,
        refused_watts=0.0 if export_limit is None else max(surplus - export_limit, 0.0),
        wanted=inputs.wanted,
        resting=lambda unit, charging: must_rest(unit, charging, inputs.now_s),
        now_s=inputs.now_s,
    )


def _uses(inputs: _Inputs, allocation: Allocation) -> Mapping[str, BatteryUse]:
    """What is remembered for the strategy that lets batteries rest; nothing under the others."""
    if allocation.running is None:
        return {}
    used = frozenset(name for name, share in allocation.shares.items() if share.watts)
    return remember_use(inputs.state.site.uses, allocation.running, used, now_s=inputs.now_s, dt_s=inputs.dt_s)


def _exceeds(plant: Plant, load_watts: float, export_limit: float | None, generation_limit: float | None) -> bool:
    """Whether a limit on AC power is exceeded by more than noise."""
    tolerance = max(EXCESS_PART_OF_RATING * plant.rating_watts, EXCESS_LEAST_WATTS)
    return (export_limit is not None and plant.ac_watts - load_watts - export_limit > tolerance) or (
        generation_limit is not None and plant.generated_watts - generation_limit > tolerance
    )


def _result(inputs: _Inputs, decision: _Decision) -> CycleResult:
    commands, memories = [], dict(_absent(inputs))
    limits_after = _limits_after(inputs)
    for unit in inputs.plant.units:
        if unit.controllable:
            command, memory = _command(inputs, decision, unit, limits_after.get(unit.name))
            commands.append(command)
            memories[unit.name] = memory
    responses = _responses(inputs, commands)
    return CycleResult(
        snapshot=inputs.snapshot,
        envelope=inputs.envelope,
        flow=decision.facts.flow if decision.facts else None,
        commands=tuple(commands),
        reasons=reasons.of_site(inputs.envelope, decision.facts, decision.allocation, decision.meter_fault),
        totals=decision.totals,
        mode=decision.mode,
        meter_fault=decision.meter_fault,
        not_following=tuple(name for name, memory in memories.items() if is_deaf(memory.following, inputs.now_s)),
        live=live_numbers(_commanded(inputs), responses),
        state=ControlState(
            started_at_s=inputs.started_at_s,
            decided_at_s=inputs.now_s,
            site=decision.memory,
            trust=inputs.trust,
            inverters=memories,
            responses=responses,
        ),
    )


def _responses(inputs: _Inputs, commands: list[InverterCommand]) -> Mapping[str, Response]:
    """Nothing is learned in shadow mode: what is not written cannot be followed."""
    if not inputs.config.control.enabled:
        return {}
    return learn_responses(inputs.state.responses, inputs.plant, commands, inputs.now_s)


def _limits_after(inputs: _Inputs) -> Mapping[str, float]:
    """The AC limits that are safe when nobody commands any more, where limits are to outlive the orchestrator."""
    room = safe_room_watts(inputs.config, inputs.wanted) if limits_stay(inputs.config) else None
    return {} if room is None else safe_limits(inputs.plant, room)


def _command(
    inputs: _Inputs, decision: _Decision, unit: Unit, limit_after_watts: float | None
) -> tuple[InverterCommand, InverterMemory]:
    """One inverter: battery first, then its AC limit, then its connection."""
    following = watch_following(unit)
    battery, battery_memory = _battery_command(inputs, decision, unit, following)
    limit, limit_memory = _limit(inputs, decision, unit)
    connect, disconnected = _connection(inputs.wanted, unit)
    command = InverterCommand(
        inverter=unit.name,
        valid_for_s=inputs.config.control.revert_s,
        ac_limit_watts=limit,
        ac_limit_reverts=not limits_stay(inputs.config),
        ac_limit_after_watts=limit_after_watts,
        connect=connect,
        battery=battery,
        reasons=reasons.of_inverter(
            inputs.envelope,
            reasons.InverterFacts(
                unit=unit,
                battery=battery,
                share=decision.allocation.shares.get(unit.name),
                ac_limit_watts=limit,
                wanted_limit_watts=decision.limiting.limits_watts.get(unit.name),
                room_watts=decision.limiting.room_watts,
                connect=connect,
                not_following=is_deaf(following, inputs.now_s),
            ),
            decision.meter_fault,
        ),
    )
    return command, InverterMemory(limit_memory, battery_memory, following, disconnected)


def _battery_command(
    inputs: _Inputs, decision: _Decision, unit: Unit, following: Following
) -> tuple[BatteryCommand | None, BatteryMemory]:
    before, wanted = unit.memory.battery, inputs.wanted
    if unit.battery is None:
        return None, before
    if _batteries_released(wanted):
        return BatteryCommand.release(), replace(before, target_watts=None, grid_charging=None)
    if decision.mode == "failsafe" and wanted.energize is not False:
        held = max(unit.battery.watts, 0.0) if before.hold_watts is None else before.hold_watts
        return hold(held), replace(before, target_watts=None, grid_charging=False, hold_watts=held)
    target = 0.0 if wanted.energize is False else decision.allocation.watts(unit.name)
    return command_battery(
        unit, unit.battery, target, wanted.battery_storage_mode, following=following, now_s=inputs.now_s
    )


def _limit(inputs: _Inputs, decision: _Decision, unit: Unit) -> tuple[float | None, LimitMemory]:
    if inputs.wanted.energize is False:
        return 0.0, LimitMemory(0.0)
    failsafe = decision.mode == "failsafe"
    if not (unit.limitable or (failsafe and unit.rating_watts is not None)):
        wanted = None
    else:
        wanted = decision.limiting.limits_watts.get(unit.name)
    return command_limit(
        unit,
        wanted,
        known_watts=0.0 if failsafe else _known_watts(decision, unit),
        needed_now=decision.limiting.exceeded,
        dt_s=inputs.dt_s,
        now_s=inputs.now_s,
    )


def _known_watts(decision: _Decision, unit: Unit) -> float:
    """What it is known to be about to make: what it makes with its new target, and PV that lost its battery."""
    return expected_watts(unit, decision.targets_watts) + lost_with_its_battery_watts(unit)


def _connection(wanted: SetpointFields, unit: Unit) -> tuple[bool | None, bool]:
    """What to command of the connection, and whether it was us who disconnected."""
    if wanted.energize is False:
        return None, unit.memory.disconnected
    if wanted.connect is False:
        return False, True
    if wanted.connect or unit.memory.disconnected:
        return True, unit.memory.disconnected and unit.sample.connected is False
    return None, False


def _absent(inputs: _Inputs) -> Mapping[str, InverterMemory]:
    """Of an inverter that is away only one thing is remembered: that we disconnected it."""
    answering = {u.name for u in inputs.plant.units}
    return {
        name: InverterMemory(away=True, disconnected=True)
        for name, memory in inputs.state.inverters.items()
        if name not in answering and memory.disconnected
    }


def _totals(inputs: _Inputs, load_watts: float | None) -> SiteTotals:
    plant, meter = inputs.plant, inputs.snapshot.meter
    stored = (u.sample.battery.watts for u in plant.units if u.sample.battery)
    return SiteTotals(
        site_watts=None if load_watts is None or meter is None else meter.site_watts,
        load_watts=load_watts,
        ac_watts=plant.ac_watts,
        pv_watts=fsum(u.pv_watts for u in plant.units),
        battery_watts=fsum(watts for watts in stored if watts is not None),
    )
