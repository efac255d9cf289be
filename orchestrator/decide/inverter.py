"""The command for one inverter, out of what was decided for the site: its battery, its AC limit, its connection."""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator.commands import BatteryCommand, InverterCommand
from orchestrator.decide.ac.curtailment import lost_with_its_battery_watts
from orchestrator.decide.ac.limit import (
    SMALL_PART_OF_RATING,
    above_limit_since_s,
    command_limit,
    insistence,
    is_stubborn,
    unmoved_since_s,
)
from orchestrator.decide.battery.command import command_battery
from orchestrator.decide.battery.holding import hold
from orchestrator.decide.battery.own_pv import open_to_watts
from orchestrator.decide.following import Disobeys, Following, Reading, watch_following
from orchestrator.decide.memory import BatteryMemory, InverterMemory, LimitMemory, Output
from orchestrator.decide.plant.battery_limits import EASE_PART_OF_RATING
from orchestrator.decide.plant.made import remember_made
from orchestrator.decide.plant.sun import remember_sun
from orchestrator.decide.plant.units import Unit
from orchestrator.decide.records import Inputs, InverterDecision, Limiting, SiteDecision
from orchestrator.decide.site import batteries_released, is_held_at_nothing
from orchestrator.samples import OperatingState
from orchestrator.setpoints.fields import SetpointFields

EASES_AT_LEAST_S = 5.0
"""One that has come back gets its share step by step for at least this long: only then is its share known."""


def command_inverter(
    inputs: Inputs, decision: SiteDecision, unit: Unit, limit_after_watts: float | None
) -> InverterDecision:
    """What is asked of one inverter, and what is remembered of it.

    `limit_after_watts` is the AC limit that is safe once the command has expired, None where there is none.
    """
    following = _following(unit)
    battery, battery_memory = _battery(inputs, decision, unit, following)
    limit, limit_memory = _limit(inputs, decision, unit)
    easing = _eases(inputs, decision, unit, battery_memory, limit)
    if easing != battery_memory.easing:
        battery_memory = replace(battery_memory, easing=easing)
    connect, disconnected = _connection(inputs.wanted, unit)
    insists = insistence(unit, inputs.now_s)
    command = InverterCommand(
        inverter=unit.name,
        valid_for_s=inputs.config.control.revert_s,
        ac_limit_watts=limit,
        ac_limit_reverts=not inputs.limits_stay,
        ac_limit_after_watts=limit_after_watts,
        connect=connect,
        battery=battery,
        insists=insists.times,
    )
    memory = InverterMemory(
        limit_memory,
        battery_memory,
        following,
        Output(unit.ac_watts, unit.sample.at_s, unit.throttled),
        sun=remember_sun(unit, inputs.now_s),
        made=remember_made(unit, failsafe=decision.mode == "failsafe", now_s=inputs.now_s),
        disconnected=disconnected,
        above_limit_since_s=above_limit_since_s(unit, inputs.now_s),
        unmoved_since_s=unmoved_since_s(unit, inputs.now_s),
        back_at_s=unit.memory.back_at_s,
        says_throttled=unit.memory.says_throttled or unit.sample.state is OperatingState.THROTTLED,
        insistence=insists,
    )
    return InverterDecision(
        unit,
        command,
        memory,
        limit_wanted_watts=decision.limiting.limits_watts.get(unit.name),
        limit_rate_watts_per_s=_rate_watts_per_s(decision.limiting, unit),
        asks_meter=inputs.trust.question.is_open,
        not_following=Disobeys.DEAF in following.states,
        gives_too_much=Disobeys.STUBBORN in unit.memory.following.states,
        above_limit=is_stubborn(unit, inputs.now_s),
    )


def _following(unit: Unit) -> Following:
    """How its battery follows, with the newest sample counted in."""
    battery, before = unit.battery, unit.memory.following
    if battery is None:
        return before
    limit_watts = max(battery.charge_max_watts, battery.discharge_max_watts)
    asked_watts = unit.memory.battery.target_watts
    reading = Reading(
        unit.sample.at_s,
        battery.watts,
        unit.pv_watts,
        asked_watts,
        limit_watts,
        held_at_ac=unit.stands_at_limit,
        open_to_watts=unit.memory.battery.open_to_watts,
    )
    return watch_following(before, reading)


def _battery(
    inputs: Inputs, decision: SiteDecision, unit: Unit, following: Following
) -> tuple[BatteryCommand | None, BatteryMemory]:
    before, wanted = unit.memory.battery, inputs.wanted
    if unit.battery is None:
        return None, before
    off = is_held_at_nothing(wanted, unit)
    if batteries_released(wanted) and not off:
        return BatteryCommand.release(), replace(before, target_watts=None, grid_charging=None, open_to_watts=None)
    if decision.mode == "failsafe" and not off:
        return hold(unit, unit.battery, decision.windows_watts.get(unit.name, 0.0), inputs.now_s)
    target = 0.0 if off else decision.allocation.watts(unit.name)
    limit = decision.limiting.limits_watts.get(unit.name)
    open_to = None
    if decision.may_open and limit is not None and not off:
        open_to = open_to_watts(unit, unit.battery, target, limit, inputs.now_s)
    return command_battery(
        unit,
        unit.battery,
        target,
        wanted.battery_storage_mode,
        following=following,
        now_s=inputs.now_s,
        open_to_watts=open_to,
        import_watts=0.0 if decision.facts is None else decision.facts.balance.site_watts,
    )


def _eases(inputs: Inputs, decision: SiteDecision, unit: Unit, after: BatteryMemory, limit_watts: float | None) -> bool:
    """Whether one that has come back is still on its way to its share, of battery power or of the room for AC."""
    if not unit.memory.battery.easing or unit.rating_watts is None:
        return False
    since_s = unit.memory.back_at_s
    if since_s is not None and inputs.now_s - since_s < EASES_AT_LEAST_S:
        return True
    wanted = decision.limiting.limits_watts.get(unit.name, unit.rating_watts)
    on_ramp = limit_watts is not None and wanted - limit_watts >= SMALL_PART_OF_RATING * unit.rating_watts
    return on_ramp or (unit.battery is not None and after.easing)


def _limit(inputs: Inputs, decision: SiteDecision, unit: Unit) -> tuple[float | None, LimitMemory]:
    if is_held_at_nothing(inputs.wanted, unit):
        return 0.0, LimitMemory(0.0, changed_at_s=inputs.now_s)
    limiting, failsafe = decision.limiting, decision.mode == "failsafe"
    if not (unit.limitable or (failsafe and unit.rating_watts is not None)):
        wanted = None
    else:
        wanted = limiting.limits_watts.get(unit.name)
    # What it is known to be about to make: with the new target of its battery, and with PV that lost its battery.
    known = 0.0
    if not failsafe:
        with_its_battery_watts = limiting.expected_watts[unit.name] + lost_with_its_battery_watts(unit)
        known = max(with_its_battery_watts, inputs.made_watts.get(unit.name, 0.0))
    return command_limit(
        unit,
        wanted,
        known_watts=known,
        needed_now=limiting.exceeded,
        tries_more=decision.memory.probe.step_watts > 0,
        rate_watts_per_s=_rate_watts_per_s(limiting, unit),
        dt_s=inputs.dt_s,
        now_s=inputs.now_s,
    )


def _rate_watts_per_s(limiting: Limiting, unit: Unit) -> float:
    """How fast its AC limit may rise, in W a second: slower after it was away, so that it comes back without a jump."""
    rate = limiting.rates_watts_per_s[unit.name]
    if not unit.memory.battery.easing or unit.rating_watts is None:
        return rate
    return min(rate, EASE_PART_OF_RATING * unit.rating_watts)


def _connection(wanted: SetpointFields, unit: Unit) -> tuple[bool | None, bool]:
    """What to command of the connection, and whether it was us who disconnected."""
    if wanted.energize is False:
        return None, unit.memory.disconnected
    if wanted.connect is False:
        return (False, True) if unit.sample.disconnectable else (None, unit.memory.disconnected)
    if wanted.connect or unit.memory.disconnected:
        return True, unit.memory.disconnected and unit.sample.connected is False
    return None, False
