"""Why: the reasons of a decision out of its facts, as codes and values. Whoever shows them takes words for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.decide.allocation.spread import NOTHING_ASKED
from orchestrator.decide.records import InverterDecision, LimitsOnAc, SiteDecision, limits_on_ac
from orchestrator.explain.battery import of_share, of_window
from orchestrator.explain.limit import FAULTS, of_limit, of_room
from orchestrator.explain.site import NOTICEABLE_WATTS, of_ac, of_flow, of_phases, of_what_differs, of_what_is_not_kept
from orchestrator.reason import Reason, because
from orchestrator.setpoints.merge import OperatingEnvelope


@dataclass(frozen=True, slots=True)
class DecisionReasons:
    """What decided for the site as a whole, most decisive first, and for each inverter."""

    site: tuple[Reason, ...]
    inverters: tuple[tuple[Reason, ...], ...]


@dataclass(frozen=True, slots=True)
class _Site:
    """What the reasons of all inverters have in common.

    `of_all` is what the site wants of all batteries together and what for, None where it decided nothing; `room` why
    AC is limited, None where it is not.
    """

    envelope: OperatingEnvelope
    decision: SiteDecision
    of_all: Reason | None
    limits: LimitsOnAc
    room: Reason | None


def of_decision(
    envelope: OperatingEnvelope, decision: SiteDecision, inverters: Iterable[InverterDecision]
) -> DecisionReasons:
    """Why it was decided so, for the site and each of the inverters, in their order."""
    facts = decision.facts
    limits = limits_on_ac(envelope, decision.limiting, decision.meter_fault)
    of_all = of_flow(facts) if facts is not None and facts.plant.batteries else None
    site = _Site(envelope, decision, of_all, limits, of_room(limits))
    return DecisionReasons(tuple(_of_site(site)), tuple(tuple(_of_inverter(site, each)) for each in inverters))


def _of_site(site: _Site) -> Iterator[Reason]:
    before = [*_of_switches(site.envelope)]
    if site.decision.meter_fault is not None:
        before.append(because("failsafe", why=FAULTS[site.decision.meter_fault]))
    yield from before
    if site.decision.facts is None:
        return
    after = list(_of_facts(site))
    yield from after
    if not before and not after:
        yield because("nothing_held_back")


def _of_switches(envelope: OperatingEnvelope) -> Iterator[Reason]:
    if envelope.fields.energize is False:
        yield because("energize_off", source=envelope.whose("energize"))
    elif envelope.fields.connect is False:
        yield because("connect_off", source=envelope.whose("connect"))


def _of_facts(site: _Site) -> Iterator[Reason]:
    facts, envelope = site.decision.facts, site.envelope
    if facts is None:
        return
    if facts.asks_meter:
        yield because("asks_meter")
    if envelope.fields.energize is not False:
        if site.of_all is not None:
            yield site.of_all
            yield from of_what_differs(facts)
        elif envelope.fields.battery_storage_mode == 0:
            yield because("batteries_released", source=envelope.whose("battery_storage_mode"))
    yield from of_ac(facts)
    caps = site.decision.limiting.phases
    yield from of_phases(facts, caps.rooms if caps else ())
    yield from of_what_is_not_kept(facts, site.decision.allocation)


def _of_inverter(site: _Site, inverter: InverterDecision) -> Iterator[Reason]:
    """Its connection, its battery, its AC limit."""
    battery, charges_from_ac = inverter.command.battery, _charges_from_ac(inverter)
    yield from _of_connection(site.envelope, inverter)
    if battery is not None:
        yield _of_battery(site, inverter, battery)
        yield from of_window(site.envelope, battery)
        if charges_from_ac:
            yield because("charges_from_ac")
    if inverter.not_following:
        yield because("not_following")
    if battery is not None and _is_held_by_ac_limit(inverter, battery):
        yield because("ac_limit_holds_discharge", watts=inverter.unit.limit_watts)
    if inverter.gives_too_much:
        yield because("gives_too_much")
    yield from of_limit(site.limits, site.room, inverter)
    if battery is None:
        return
    if battery.grid_charging and not charges_from_ac:
        yield because("permission_left")
    if battery.mode in (BatteryMode.CHARGE, BatteryMode.DISCHARGE) and site.of_all is not None:
        yield because("part_of_all", why=_without_idle(site.of_all))


def _of_connection(envelope: OperatingEnvelope, inverter: InverterDecision) -> Iterator[Reason]:
    connect, off = inverter.command.connect, envelope.fields.connect is False and envelope.fields.energize is not False
    if off and inverter.unit.stays_connected:
        yield because("not_disconnected", source=envelope.whose("connect"))
    elif connect is False:
        yield because("disconnected", source=envelope.whose("connect"))
    elif connect and envelope.fields.connect:
        yield because("connected", source=envelope.whose("connect"))
    elif connect:
        yield because("connected_again")


def _charges_from_ac(inverter: InverterDecision) -> bool:
    battery = inverter.command.battery
    if battery is None or not battery.grid_charging:
        return False
    return battery.watts > inverter.unit.pv_watts + NOTICEABLE_WATTS


def _is_held_by_ac_limit(inverter: InverterDecision, battery: BatteryCommand) -> bool:
    """Whether it discharges less than it was asked to because its inverter stands at its AC limit."""
    asked_watts, unit = inverter.unit.memory.battery.target_watts, inverter.unit
    if battery.mode is not BatteryMode.DISCHARGE or asked_watts is None or unit.battery is None:
        return False
    return unit.stands_at_limit and unit.battery.watts - asked_watts >= NOTICEABLE_WATTS


def _of_battery(site: _Site, inverter: InverterDecision, battery: BatteryCommand) -> Reason:
    envelope, fault = site.envelope, site.decision.meter_fault
    if battery.mode is BatteryMode.RELEASE:
        field = "battery_storage_mode" if envelope.fields.battery_storage_mode == 0 else "connect"
        return because("battery_released", field=field, source=envelope.whose(field))
    if envelope.fields.energize is False:
        return because("battery_idle", why=because("energize_false", source=envelope.whose("energize")))
    if envelope.fields.connect is False:
        return because("battery_idle", why=because("connect_false", source=envelope.whose("connect")))
    if fault is not None:
        return because("hold", why=FAULTS[fault], watts=battery.high_watts or 0.0)
    share = site.decision.allocation.shares.get(inverter.unit.name)
    why = NOTHING_ASKED if share is None else of_share(envelope, inverter.unit, share)
    if battery.mode is BatteryMode.IDLE:
        of_all = site.of_all if why == NOTHING_ASKED else None
        return because("idle", why=why if of_all is None else _without_idle(of_all))
    return because("charge" if battery.mode is BatteryMode.CHARGE else "discharge", watts=abs(battery.watts), why=why)


def _without_idle(of_all: Reason) -> Reason:
    """Why, without the word that all idle."""
    return (of_all.code == "idle" and of_all.cause("why")) or of_all
