"""Why AC power is held to just so much: the limits on it, and the AC limit of one inverter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from orchestrator.decide.ac.limit import SMALL_PART_OF_RATING
from orchestrator.decide.memory import MeterFault
from orchestrator.decide.records import InverterDecision, LimitsOnAc
from orchestrator.reason import Reason, because
from orchestrator.samples import MeterSample
from orchestrator.setpoints.merge import OperatingEnvelope
from orchestrator.setpoints.voltage_guard import VOLTAGE_GUARD

FAULTS: Final[Mapping[MeterFault, Reason]] = {
    "silent": because("meter_silent"),
    "frozen": because("meter_frozen"),
    "reversed": because("meter_reversed"),
}
"""Why the meter cannot be believed."""


def of_room(limits: LimitsOnAc) -> Reason | None:
    """Whose limit it is and what it leaves; None where nothing limits AC."""
    if limits.room_watts is None:
        return None
    binding, other = of_generation(limits), of_export(limits)
    if limits.binding() == "export":
        binding, other = other, binding
    if limits.meter_fault is not None:
        fault = FAULTS[limits.meter_fault]
        return because("leaves_room_unseen", fault=fault, limit=binding, watts=limits.room_watts, other=other)
    return because("leaves_room", limit=binding, watts=limits.room_watts, other=other)


def of_binding(limits: LimitsOnAc) -> Reason | None:
    """The limit that leaves less, with its source."""
    return of_generation(limits) if limits.binding() == "generation" else of_export(limits)


def of_export(limits: LimitsOnAc) -> Reason | None:
    """The export limit that counts; None where there is none."""
    asked, counts = limits.envelope.fields.export_limit_watts, limits.export_limit_watts
    if asked is None or counts is None:
        return None
    if counts < asked:
        return because("export_limit_of_failsafe", watts=counts)
    source = limits.envelope.whose("export_limit_watts")
    if counts > asked:
        return because("export_limit_with_buffer", limit_watts=asked, source=source, watts=counts)
    return because("export_limit", watts=asked, source=source)


def of_voltage(envelope: OperatingEnvelope, meter: MeterSample | None) -> Iterator[Reason]:
    """What the voltage guard makes of the voltage, where it is the one who limits export."""
    watts = envelope.fields.export_limit_watts
    if watts is None or envelope.source("export_limit_watts") != VOLTAGE_GUARD:
        return
    known = [volts for volts in meter.phase_volts if volts is not None] if meter else []
    if known and envelope.fresh.get(VOLTAGE_GUARD, True):
        yield because("voltage_holds_export", volts=max(known), watts=watts)
    else:
        yield because("voltage_unknown", watts=watts)


def of_generation(limits: LimitsOnAc) -> Reason | None:
    """The generation limit that counts; None where there is none."""
    asked, counts = limits.envelope.fields.generation_limit_watts, limits.generation_limit_watts
    if asked is None or counts is None:
        return None
    source, away_watts = limits.envelope.whose("generation_limit_watts"), asked - counts
    if away_watts >= 1:
        return because("generation_limit_less_away", watts=asked, source=source, away_watts=away_watts)
    return because("generation_limit", watts=asked, source=source)


def of_limit(limits: LimitsOnAc, room: Reason | None, inverter: InverterDecision) -> Iterator[Reason]:
    """Why the AC limit of an inverter is what it is, and why it is not more. `room` is why that is limited."""
    commanded_watts = inverter.command.ac_limit_watts
    if limits.envelope.fields.energize is False:
        why = because("energize_false", source=limits.envelope.whose("energize"))
        yield because("ac_limit", watts=0.0, why=why)
    elif limits.envelope.fields.connect is False and inverter.unit.stays_connected:
        why = because("connect_false", source=limits.envelope.whose("connect"))
        yield because("ac_limit", watts=0.0, why=why)
    elif commanded_watts is None:
        yield because("no_ac_limit", why=_why_none(room, inverter))
    else:
        yield because("ac_limit", watts=commanded_watts, why=room or because("rising_to_no_limit"))
        yield from _of_rise(inverter, commanded_watts)


def _why_none(room: Reason | None, inverter: InverterDecision) -> Reason:
    unit = inverter.unit
    if room is None:
        return because("nothing_limits_ac")
    if unit.rating_watts is None:
        return because("rating_unknown")
    if not unit.sample.ac_limit_controllable:
        return because("takes_no_limit")
    if not unit.limitable and inverter.limit_wanted_watts is None:
        return because("only_battery")
    return room


def _of_rise(inverter: InverterDecision, commanded_watts: float) -> Iterator[Reason]:
    """Why it is not more, and why not just what it should be."""
    unit, wanted = inverter.unit, inverter.limit_wanted_watts
    if inverter.asks_meter and not unit.sample.ac_limit_wears:
        yield because("held_down_to_ask_meter")
    if inverter.above_limit:
        yield because("above_its_limit", watts=unit.ac_watts, limit_watts=unit.limit_watts)
    elif unit.throttled:
        yield because("throttled")
    rating = unit.rating_watts
    if rating is None or commanded_watts == wanted:
        return
    missing = (rating if wanted is None else min(wanted, rating)) - commanded_watts
    if missing >= SMALL_PART_OF_RATING * rating:
        yield because("limit_rises", watts_per_s=inverter.limit_rate_watts_per_s)
    elif abs(missing) >= 1:
        yield because("limit_held")
