"""Why: the words that go with each decision, for the table, the log, MQTT and `orchestrator explain`.

Each reason is one thing that decided, in few words. Numbers in it have their unit right behind them (" 1200 W",
" at 98 %"), so that the words alone can be counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.allocation import Allocation, BatteryShare
from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.cycle import BatteryPowerFlow
from orchestrator.limit_commands import SMALL_PART_OF_RATING
from orchestrator.meter_trust import FAULT_WORDS, MeterFault
from orchestrator.plant import Unit
from orchestrator.quick_init import quick_init
from orchestrator.reasons_battery import of_share
from orchestrator.setpoints import OperatingEnvelope, PriorityMode

NOTICEABLE_WATTS = 50.0
"""Less than this needs no words."""

LIMITS_ON_AC = {"export_limit_watts": "export limit", "generation_limit_watts": "generation limit"}


@quick_init
@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What decided for the site, in W: `target_watts` (charging +) is what was spread, `available_watts` what is left
    for battery and export, of which `hidden_watts` are a guess at PV that a limit hides, or, with `answers_import`,
    an import that is left to the AC limits. `asks_meter`: AC limits are lowered for a moment to see the meter answer.
    `on_ramp`: charging is held back by a ramp.
    """

    flow: BatteryPowerFlow
    target_watts: float
    available_watts: float
    hidden_watts: float
    answers_import: bool
    has_batteries: bool
    asks_meter: bool = False
    on_ramp: bool = False


@quick_init
@dataclass(frozen=True, slots=True)
class InverterFacts:
    """What decided for one inverter. `wanted_limit_watts` is its part of `room_watts`, None where nothing limits.

    `rate_watts_per_s` is how fast its AC limit may rise.
    """

    unit: Unit
    battery: BatteryCommand | None
    share: BatteryShare | None
    ac_limit_watts: float | None
    wanted_limit_watts: float | None
    room_watts: float | None
    rate_watts_per_s: float
    connect: bool | None
    not_following: bool


def of_site(
    envelope: OperatingEnvelope, facts: SiteFacts | None, allocation: Allocation, meter_fault: MeterFault | None
) -> tuple[str, ...]:
    """What decided for the site as a whole, most decisive first."""
    said = []
    if envelope.fields.energize is False:
        said.append(f"energize false ({envelope.source('energize')}): AC 0 W, batteries idle")
    elif envelope.fields.connect is False:
        said.append(f"connect false ({envelope.source('connect')}): all inverters disconnected")
    if meter_fault is not None:
        said.append(f"{FAULT_WORDS[meter_fault]}: failsafe")
    if facts is not None and facts.asks_meter:
        said.append("less AC for a moment: does the meter see it?")
    if facts is not None and facts.has_batteries and envelope.fields.energize is not False:
        said.extend(_of_flow(envelope, facts))
    if allocation.binding:
        said.append(f"{abs(allocation.unserved_watts):.0f} W not served: {allocation.binding}")
    return tuple(said)


def of_inverter(envelope: OperatingEnvelope, facts: InverterFacts, meter_fault: MeterFault | None) -> tuple[str, ...]:
    """What decided for one inverter: its connection, its battery, its AC limit."""
    said = []
    if facts.connect is False:
        said.append(f"disconnected: connect false ({envelope.source('connect')})")
    if facts.battery is not None:
        said.append(_of_battery(envelope, facts, facts.battery, meter_fault))
        if facts.battery.grid_charging and facts.battery.watts > facts.unit.pv_watts + NOTICEABLE_WATTS:
            said.append("may charge from AC: own PV does not suffice")
    if facts.not_following:
        said.append("its battery has not followed for 30 s")
    if facts.ac_limit_watts is not None:
        said.append(_of_limit(envelope, facts.ac_limit_watts, facts.room_watts, meter_fault))
        if envelope.fields.energize is not False:
            said.extend(_of_rise(facts, facts.ac_limit_watts))
    return tuple(said)


def _of_flow(envelope: OperatingEnvelope, facts: SiteFacts) -> Iterator[str]:
    flow, seen_watts = facts.flow, facts.available_watts - facts.hidden_watts
    words = {"charge": _why_charge, "discharge": _why_discharge, "idle": _why_idle}[flow.battery_mode]
    watts = "" if flow.battery_mode == "idle" else f" {abs(flow.target_battery_power_watts):.0f} W"
    yield f"{flow.battery_mode}{watts}: {words(envelope, facts)}"
    if facts.hidden_watts >= NOTICEABLE_WATTS and facts.answers_import:
        yield f"leaves an import of {facts.hidden_watts:.0f} W to the AC limits"
    elif facts.hidden_watts >= NOTICEABLE_WATTS and flow.target_battery_power_watts > seen_watts:
        yield f"tries for {facts.hidden_watts:.0f} W of PV that a limit may hide"
    if facts.on_ramp:
        yield "charging rises no faster than its ramp"
    if abs(facts.target_watts - flow.target_battery_power_watts) >= 1:
        yield f"held at {abs(facts.target_watts):.0f} W: change under 1 %"


def _why_charge(envelope: OperatingEnvelope, facts: SiteFacts) -> str:
    wanted, watts = envelope.fields, facts.flow.target_battery_power_watts
    if wanted.battery_grid_charging_enabled and watts > max(facts.available_watts, 0.0):
        words = f"charges from the grid ({envelope.source('battery_grid_charging_enabled')})"
    elif wanted.battery_priority_mode == PriorityMode.EXPORT_FIRST:
        words = f"surplus that export leaves, export first ({envelope.source('battery_priority_mode')})"
    else:
        source = envelope.source("battery_priority_mode")
        words = f"surplus, batteries first{f' ({source})' if source else ''}"
    return words + _at_most(envelope, "battery_charge_max_watts", watts)


def _why_discharge(envelope: OperatingEnvelope, facts: SiteFacts) -> str:
    watts = -facts.flow.target_battery_power_watts
    if envelope.fields.battery_grid_charging_enabled:
        words = f"import above its limit ({envelope.source('import_limit_watts')})"
    elif facts.available_watts < 0 and not envelope.fields.battery_export_target_watts:
        words = "covers the load"
    else:
        target = envelope.fields.battery_export_target_watts or 0.0
        words = f"for the export target of {target:.0f} W ({envelope.source('battery_export_target_watts')})"
    return words + _at_most(envelope, "battery_discharge_max_watts", watts)


def _why_idle(envelope: OperatingEnvelope, facts: SiteFacts) -> str:
    if abs(facts.available_watts) < NOTICEABLE_WATTS:
        return "nothing to charge with and no load to cover"
    if envelope.fields.battery_grid_charging_enabled:
        return f"grid charging enabled ({envelope.source('battery_grid_charging_enabled')}), no charge needed"
    if facts.available_watts > 0:
        return "no battery takes the surplus, or export comes first"
    return "no battery can cover the load"


def _at_most(envelope: OperatingEnvelope, field: str, watts: float) -> str:
    """The cap on all batteries together, where it decides."""
    cap = getattr(envelope.fields, field)
    return f", at most {cap:.0f} W ({envelope.source(field)})" if cap is not None and watts >= cap - 1 else ""


def _of_battery(
    envelope: OperatingEnvelope, facts: InverterFacts, battery: BatteryCommand, meter_fault: MeterFault | None
) -> str:
    if battery.mode is BatteryMode.RELEASE:
        field = "battery_storage_mode" if envelope.fields.battery_storage_mode == 0 else "connect"
        return f"battery released: {field} ({envelope.source(field)})"
    if envelope.fields.energize is False:
        return f"battery idle: energize false ({envelope.source('energize')})"
    if meter_fault is not None:
        return f"hold: {FAULT_WORDS[meter_fault]}, charge at most {battery.watts:.0f} W from own PV"
    why = "nothing asked" if facts.share is None else of_share(envelope, facts.unit, facts.share)
    if battery.mode is BatteryMode.IDLE:
        return f"idle: {why}"
    return f"{battery.mode} {abs(battery.watts):.0f} W: {why}"


def _of_limit(
    envelope: OperatingEnvelope, ac_limit_watts: float, room_watts: float | None, meter_fault: MeterFault | None
) -> str:
    if envelope.fields.energize is False:
        return f"AC limit 0 W: energize false ({envelope.source('energize')})"
    limits = [
        f"{words} {getattr(envelope.fields, field):.0f} W ({envelope.source(field)})"
        for field, words in LIMITS_ON_AC.items()
        if getattr(envelope.fields, field) is not None
    ]
    if meter_fault is not None:
        limits.insert(0, FAULT_WORDS[meter_fault])
    leaves = f" leaves {room_watts:.0f} W for AC" if limits and room_watts is not None else ""
    return f"AC limit {ac_limit_watts:.0f} W: {', '.join(limits) or 'rising step by step to no limit'}{leaves}"


def _of_rise(facts: InverterFacts, ac_limit_watts: float) -> Iterator[str]:
    """Why it is not more, and why not just what it should be."""
    unit, rating = facts.unit, facts.unit.rating_watts
    if unit.throttled:
        yield "throttled"
    if rating is None or ac_limit_watts == facts.wanted_limit_watts:
        return
    missing = (rating if facts.wanted_limit_watts is None else min(facts.wanted_limit_watts, rating)) - ac_limit_watts
    if missing >= SMALL_PART_OF_RATING * rating:
        yield f"rises at most {facts.rate_watts_per_s:.0f} W a second"
    elif abs(missing) >= 1:
        yield "held: change under 1 %"
