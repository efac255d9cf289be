"""Why: the words that go with each decision, for the table, the log, MQTT and `orchestrator explain`.

Each reason is one thing that decided, in few words. Numbers in it have their unit right behind them (" 1200 W",
" at 98 %"), so that the words alone can be counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.decide.allocation.spread import NOTHING_ASKED, Allocation, BatteryShare
from orchestrator.decide.memory import MeterFault
from orchestrator.decide.plant.units import Unit
from orchestrator.decide.records import LimitsOnAc, SiteFacts
from orchestrator.explain.battery import of_share, of_window
from orchestrator.explain.limit import LimitFacts, of_limit
from orchestrator.explain.site import NOTICEABLE_WATTS, of_ac, of_flow, of_what_is_not_kept, why
from orchestrator.explain.words import FAULT_WORDS, PART_OF
from orchestrator.quick_init import quick_init
from orchestrator.setpoints.merge import OperatingEnvelope

__all__ = ["PART_OF", "InverterFacts", "LimitFacts", "LimitsOnAc", "SiteFacts", "of_inverter", "of_site", "why"]


@quick_init
@dataclass(frozen=True, slots=True)
class InverterFacts:
    """What decided for one inverter.

    `site_why` is what the site wants of all batteries together and what for, "" where it decided nothing.
    `not_following`: its battery has not followed for long; `gives_too_much`: it goes on giving more than asked.
    """

    unit: Unit
    battery: BatteryCommand | None
    share: BatteryShare | None
    limit: LimitFacts
    connect: bool | None
    site_why: str
    not_following: bool
    gives_too_much: bool


def of_site(
    envelope: OperatingEnvelope, facts: SiteFacts | None, allocation: Allocation, meter_fault: MeterFault | None
) -> tuple[str, ...]:
    """What decided for the site as a whole, most decisive first."""
    said = []
    if envelope.fields.energize is False:
        said.append(f"energize false ({envelope.whose('energize')}): AC 0 W, batteries idle")
    elif envelope.fields.connect is False:
        apart = "all inverters disconnected, or at AC 0 W where one does not"
        said.append(f"connect false ({envelope.whose('connect')}): {apart}")
    if meter_fault is not None:
        said.append(f"{FAULT_WORDS[meter_fault]}: failsafe")
    if facts is None:
        return tuple(said)
    if facts.asks_meter:
        said.append("less AC for a moment: does the meter see it?")
    if envelope.fields.energize is not False:
        if facts.plant.batteries:
            said.extend(of_flow(facts))
        elif envelope.fields.battery_storage_mode == 0:
            said.append(f"batteries released: battery_storage_mode 0 ({envelope.whose('battery_storage_mode')})")
    said.extend(of_ac(facts))
    said.extend(of_what_is_not_kept(facts, allocation))
    return tuple(said or ["nothing is held back, and there is no battery to command"])


def of_inverter(envelope: OperatingEnvelope, facts: InverterFacts, meter_fault: MeterFault | None) -> tuple[str, ...]:
    """What decided for one inverter: its connection, its battery, its AC limit."""
    said = list(_of_connection(envelope, facts))
    if facts.battery is not None:
        said.append(_of_battery(envelope, facts, facts.battery, meter_fault))
        said.extend(of_window(envelope, facts.battery))
        if _charges_from_ac(facts, facts.battery):
            said.append("may charge from AC: own PV does not suffice")
    if facts.not_following:
        said.append("its battery has not followed for 30 s")
    if facts.gives_too_much:
        said.append("its battery goes on giving more than asked, the others give less")
    said.extend(of_limit(facts.limit))
    if facts.battery is not None:
        said.extend(_in_passing(facts, facts.battery))
    return tuple(said)


def _of_connection(envelope: OperatingEnvelope, facts: InverterFacts) -> Iterator[str]:
    off = envelope.fields.connect is False and envelope.fields.energize is not False
    if off and facts.unit.stays_connected:
        yield f"does not disconnect: AC limit 0 W in its place, connect false ({envelope.whose('connect')})"
    elif facts.connect is False:
        yield f"disconnected: connect false ({envelope.whose('connect')})"
    elif facts.connect and envelope.fields.connect:
        yield f"connected: connect true ({envelope.whose('connect')})"
    elif facts.connect:
        yield "connected again: nobody wants it off any more"


def _charges_from_ac(facts: InverterFacts, battery: BatteryCommand) -> bool:
    return bool(battery.grid_charging) and battery.watts > facts.unit.pv_watts + NOTICEABLE_WATTS


def _of_battery(
    envelope: OperatingEnvelope, facts: InverterFacts, battery: BatteryCommand, meter_fault: MeterFault | None
) -> str:
    if battery.mode is BatteryMode.RELEASE:
        field = "battery_storage_mode" if envelope.fields.battery_storage_mode == 0 else "connect"
        return f"battery released: {field} ({envelope.whose(field)})"
    for field in ("energize", "connect"):
        if envelope.fields.asked().get(field) is False:
            return f"battery idle: {field} false ({envelope.whose(field)})"
    if meter_fault is not None:
        return f"hold: {FAULT_WORDS[meter_fault]}, charge at most {battery.watts:.0f} W from own PV"
    why = NOTHING_ASKED if facts.share is None else of_share(envelope, facts.unit, facts.share)
    if battery.mode is BatteryMode.IDLE:
        return f"idle: {facts.site_why if why == NOTHING_ASKED and facts.site_why else why}"
    return f"{battery.mode} {abs(battery.watts):.0f} W: {why}"


def _in_passing(facts: InverterFacts, battery: BatteryCommand) -> Iterator[str]:
    """A permission that is not needed, and what the share is a part of."""
    if battery.grid_charging and not _charges_from_ac(facts, battery):
        yield "may still charge from AC: the permission is seldom worth a write"
    if battery.mode in (BatteryMode.CHARGE, BatteryMode.DISCHARGE) and facts.site_why:
        yield f"{PART_OF} {facts.site_why}"
