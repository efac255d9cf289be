"""One step of the loop: snapshot and envelope in, one command per inverter out.

    plant -> trust in the meter -> decision for the site -> command for each inverter

Each step is computed anew from what is seen; what must be remembered goes through `ControlState`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from orchestrator.commands import InverterCommand
from orchestrator.config.policy import limits_stay
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.ac.device_steps import in_steps
from orchestrator.decide.failsafe import safe_limits_left, safe_room_watts
from orchestrator.decide.following import Disobeys
from orchestrator.decide.inverter import command_inverter
from orchestrator.decide.memory import ControlState, InverterMemory, LimitMemory, MeterFault, Response
from orchestrator.decide.meter.question import ask_meter
from orchestrator.decide.meter.silence import is_silent
from orchestrator.decide.meter.trust import watch_meter
from orchestrator.decide.pace import counted_s
from orchestrator.decide.plant.away import left_for_the_others
from orchestrator.decide.plant.headroom import LiveNumbers, learn_responses, live_numbers
from orchestrator.decide.plant.made import made_by_name
from orchestrator.decide.plant.others import others_left_alone_watts
from orchestrator.decide.plant.phases import within_each_phase
from orchestrator.decide.plant.silent_sites import unseen
from orchestrator.decide.plant.units import found_limits_watts, see_plant
from orchestrator.decide.records import CycleResult, Inputs, InverterDecision, SiteDecision
from orchestrator.decide.site import commanded_plant, decide, decide_without_meter
from orchestrator.explain.limit import of_voltage
from orchestrator.explain.reasons import of_decision
from orchestrator.reason import Reason, because
from orchestrator.samples import SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope

NO_NUMBERS: Final = LiveNumbers()

TIMES_TO_SAY: Final = 2
"""One that has been told anew so often without obeying is worth a person's time."""


def step(
    config: SiteConfig,
    state: ControlState,
    snapshot: SiteSnapshot,
    envelope: OperatingEnvelope,
    now: float,
    *,
    explain: bool = True,
) -> CycleResult:
    """Decide one cycle. `now` is in monotonic seconds, the clock of the snapshot.

    Without a meter that can be believed the failsafe decides. The result carries the state for the next step.
    `explain` False decides the same, and leaves out what is for people only: the reasons, the live numbers, and the
    response times that are learned for these.
    """
    meter = snapshot.meter
    wanted = left_for_the_others(config, state.inverters, snapshot, envelope.fields, now)
    silent_sites = unseen(config, state.inverters, snapshot, wanted, now)
    wanted = silent_sites.left_of(wanted)
    interval_s = config.control.interval_s
    dt_s = interval_s if state.decided_at_s is None else counted_s(now - state.decided_at_s, interval_s)
    plant = see_plant(config, state, snapshot, wanted, dt_s)
    started_at_s = now if state.started_at_s is None else state.started_at_s
    trust = state.trust
    if meter is not None:
        trust = watch_meter(trust, meter, plant, interval_s, now, read_every_s=config.meter.interval_s)
        if config.control.enabled:
            after_s = config.control.failsafe.ask_meter_after_s
            trust = ask_meter(trust, plant, wanted, after_s=after_s, running_s=now - started_at_s, now_s=now)
    inputs = Inputs(
        config=config,
        state=state,
        snapshot=snapshot,
        envelope=envelope,
        plant=plant,
        trust=trust,
        started_at_s=started_at_s,
        now_s=now,
        dt_s=dt_s,
        wanted=wanted,
        limits_stay=limits_stay(config),
        made_watts=made_by_name(config, plant, now),
        unseen_export_watts=silent_sites.export_watts,
    )
    fault = _meter_fault(config, inputs, now)
    if fault is not None:
        return _result(inputs, decide_without_meter(inputs, fault), explain=explain)
    if meter is None:
        return _waiting(inputs)
    return _result(inputs, decide(inputs, meter), explain=explain)


def _above_limit(inverters: Sequence[InverterDecision]) -> dict[str, Reason]:
    """Who makes more than its AC limit after it was told anew: the first time may only have been slow."""
    return {
        each.unit.name: because("above_its_limit", watts=each.unit.ac_watts, limit_watts=each.unit.limit_watts)
        for each in inverters
        if each.memory.insistence.times >= TIMES_TO_SAY
    }


def _meter_fault(config: SiteConfig, inputs: Inputs, now_s: float) -> MeterFault | None:
    """Why the meter cannot be decided on, if so."""
    meter = inputs.snapshot.meter
    if is_silent(config, meter, inputs.started_at_s, now_s):
        return "silent"
    return "reversed" if meter is not None and meter.orientation == 0 else inputs.trust.fault


def _waiting(inputs: Inputs) -> CycleResult:
    """The meter has not spoken yet, and it is too early to call it silent."""
    state = replace(inputs.state, started_at_s=inputs.started_at_s, trust=inputs.trust)
    why = (because("waiting_for_meter"),)
    return CycleResult(inputs.snapshot, inputs.envelope, None, (), why, mode="waiting", state=state)


def _result(inputs: Inputs, decision: SiteDecision, *, explain: bool) -> CycleResult:
    limits_after = _limits_after(inputs)
    inverters = [
        command_inverter(inputs, decision, unit, limits_after.get(unit.name))
        for unit in inputs.plant.units
        if unit.controllable
    ]
    commands = [each.command for each in inverters]
    why: tuple[Reason, ...] = ()
    if explain:
        told = of_decision(inputs.envelope, decision, inverters)
        why = (*told.site, *of_voltage(inputs.envelope, inputs.snapshot.meter))
        commands = [replace(c, reasons=own) for c, own in zip(commands, told.inverters, strict=True)]
    memories = {**_absent(inputs), **{each.unit.name: each.memory for each in inverters}}
    if decision.mode == "normal" and not _is_off(inputs.wanted):
        commands = in_steps(commands, inputs.plant.units)
    responses = _responses(inputs, commands, explain=explain)
    return CycleResult(
        snapshot=inputs.snapshot,
        envelope=inputs.envelope,
        flow=decision.facts.flow if decision.facts else None,
        commands=tuple(commands),
        reasons=why,
        totals=decision.totals,
        mode=decision.mode,
        meter_fault=decision.meter_fault,
        not_following=tuple(name for name, memory in memories.items() if Disobeys.DEAF in memory.following.states),
        above_limit=_above_limit(inverters),
        live=live_numbers(commanded_plant(inputs), responses) if explain else NO_NUMBERS,
        state=ControlState(
            started_at_s=inputs.started_at_s,
            decided_at_s=inputs.now_s,
            site=decision.memory,
            trust=inputs.trust,
            inverters=memories,
            responses=responses,
            found_limits_watts=found_limits_watts(inputs.state, inputs.plant),
        ),
    )


def _is_off(wanted: SetpointFields) -> bool:
    """Whether nobody may give power: what rounding leaves is nobody's then."""
    return wanted.energize is False or wanted.connect is False


def _responses(inputs: Inputs, commands: Sequence[InverterCommand], *, explain: bool) -> Mapping[str, Response]:
    """Nothing is learned in shadow mode: what is not written cannot be followed."""
    if not inputs.config.control.enabled:
        return {}
    before = inputs.state.responses
    return learn_responses(before, inputs.plant, commands, inputs.now_s) if explain else before


def _limits_after(inputs: Inputs) -> Mapping[str, float]:
    """The AC limits that are safe when nobody commands any more, where limits are to outlive the orchestrator."""
    if not inputs.limits_stay:
        return {}
    beside_watts = others_left_alone_watts(inputs.config, inputs.state.inverters, inputs.snapshot)
    room = safe_room_watts(inputs.config, inputs.envelope.fields, beside_watts)
    return {} if room is None else within_each_phase(inputs.config, safe_limits_left(inputs.plant, room), room)


def _absent(inputs: Inputs) -> Mapping[str, InverterMemory]:
    """Of an inverter that is away little is remembered: its AC limit, and whether we disconnected it."""
    answering = {u.name for u in inputs.plant.units}
    return {
        name: InverterMemory(away=True, disconnected=memory.disconnected, limit=LimitMemory(memory.limit.watts))
        for name, memory in inputs.state.inverters.items()
        if name not in answering
    }
