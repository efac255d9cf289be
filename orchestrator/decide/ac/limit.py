"""From the handed-out room to the AC limit that is commanded: it falls at once, rises in watts per second.

Changes under 1 % of rating wait, except a reduction that a limit needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum

from orchestrator.decide.allocation.spread import share_by_weight
from orchestrator.decide.memory import Insistence, LimitMemory
from orchestrator.decide.pace import rise_watts, settle
from orchestrator.decide.plant.units import Plant, Unit

RISE_PART_OF_RATING_PER_S = 0.2
"""How fast an AC limit rises where site.yaml says nothing: slow enough for the meter to show what it brings."""

RISE_PART_OF_RATING_PER_S_AT_IMPORT = 1.0
"""The same while more is imported than a wrong sign of the meter could make of an export: there is room, surely."""

SMALL_PART_OF_RATING = 0.01
"""A change by less is not worth a write, unless a limit needs it."""

TRIED_PART_OF_RATING = 0.002
"""A rise by less is not worth a write either, while a step is tried: the smallest is about 2 % of what batteries take,
and that is shared."""

ABOVE_PART_OF_RATING = 0.02
STUBBORN_AFTER_S = 5.0
"""An inverter that reports so much more than its limit for this long is stubborn: it is taken at its word."""

UNMOVED_AFTER_S = 2.0
FALLS_PART = 0.05
"""So is one, sooner, that meanwhile comes no nearer to its limit, by this part of what is missing from look to look:
the others need the rest of 5 s to make up for it."""

INSISTS_FIRST_GAP_S = 4.0
INSISTS_LONGEST_GAP_S = 30.0
"""A stubborn inverter is told anew although it shows its limit: some forget it inside while their registers still say
that it holds. After so long the second time, then twice as long each time, as with what a device does not show."""


def rise_watts_per_s(unit: Unit, *, importing: bool = False) -> float:
    """How fast its AC limit may rise, in W a second: as site.yaml says, else 20 % of its rating, all at an import."""
    part = RISE_PART_OF_RATING_PER_S_AT_IMPORT if importing else RISE_PART_OF_RATING_PER_S
    return unit.config.ramp_watts_per_s or part * (unit.rating_watts or 0.0)


def above_limit_since_s(unit: Unit, now_s: float) -> float | None:
    """Since when an inverter has made clearly more than its AC limit; None while it does not."""
    margin = ABOVE_PART_OF_RATING * (unit.rating_watts or 0.0)
    if not unit.limitable or unit.ac_watts <= unit.limit_watts + margin:
        return None
    return now_s if unit.memory.above_limit_since_s is None else unit.memory.above_limit_since_s


def unmoved_since_s(unit: Unit, now_s: float) -> float | None:
    """Since when it has made clearly more than its AC limit without coming nearer to it; None while it does not."""
    since_s, before, was_s = above_limit_since_s(unit, now_s), unit.memory.output, unit.memory.unmoved_since_s
    if since_s is None or before is None or was_s is None:
        return None if since_s is None else now_s
    falls = before.ac_watts - unit.ac_watts >= FALLS_PART * (before.ac_watts - unit.limit_watts)
    return now_s if falls and unit.sample.at_s != before.at_s else was_s


def stubborn_units(units: Sequence[Unit], now_s: float) -> list[Unit]:
    """Those that have made more than their AC limits for long: the others have only the room that these leave.

    The same where one is stuck at an old reading: the load then seems to be higher by as much.
    """
    return [unit for unit in units if is_stubborn(unit, now_s)]


def insistence(unit: Unit, now_s: float) -> Insistence:
    """How often it has been told anew by now; it ends when the inverter is back within its limit."""
    before = unit.memory.insistence
    if above_limit_since_s(unit, now_s) is None:
        return Insistence()
    gap_s = min(INSISTS_FIRST_GAP_S * 2.0 ** min(before.times - 1, 8), INSISTS_LONGEST_GAP_S)
    if not is_stubborn(unit, now_s) or now_s - before.at_s < gap_s:
        return before
    return Insistence(before.times + 1, now_s)


def is_stubborn(unit: Unit, now_s: float) -> bool:
    """Whether it has made more than its AC limit for long, or for a while without coming nearer to it."""
    since_s, unmoved_s = above_limit_since_s(unit, now_s), unmoved_since_s(unit, now_s)
    if since_s is None or unmoved_s is None:
        return False
    return now_s - since_s >= STUBBORN_AFTER_S or now_s - unmoved_s >= UNMOVED_AFTER_S


def without_stubborn(plant: Plant, room_watts: float, now_s: float) -> tuple[dict[str, float], Plant, float]:
    """The AC limits in W of those that do not obey theirs, the others, and the room in W that is left for these."""
    stubborn = stubborn_units(plant.units, now_s)
    if not stubborn:
        return {}, plant, room_watts
    limits_watts = limits_of_stubborn(stubborn, room_watts)
    others = Plant(tuple(u for u in plant.units if u.name not in limits_watts))
    return limits_watts, others, max(room_watts - fsum(u.ac_watts for u in stubborn), 0.0)


def limits_of_stubborn(stubborn: Sequence[Unit], room_watts: float) -> dict[str, float]:
    """Their AC limits: as they are, and lower by what they make beyond the room. They never rise."""
    too_much = max(fsum(u.ac_watts for u in stubborn) - room_watts, 0.0)
    held = fsum(u.limit_watts for u in stubborn)
    part = max(1.0 - too_much / held, 0.0) if held else 0.0
    return {u.name: part * u.limit_watts for u in stubborn}


def share_rise(
    site_watts_per_s: float | None, units: Sequence[Unit], wanted_watts: Mapping[str, float], *, importing: bool = False
) -> dict[str, float]:
    """How fast the AC limit of each inverter may rise, in W a second, so that all together keep the ramp of the site.

    Those share it that are to rise: `wanted_watts` is what each should be limited to, by name; no limit without one.
    """
    rates = {u.name: rise_watts_per_s(u, importing=importing) for u in units}
    if site_watts_per_s is None or fsum(rates.values()) <= site_watts_per_s:
        return rates
    rising = {u.name: rates[u.name] for u in units if wanted_watts.get(u.name, u.rating_watts or 0.0) > u.limit_watts}
    return {**rates, **share_by_weight(site_watts_per_s, rising, {name: max(r, 1.0) for name, r in rising.items()})}


def command_limit(
    unit: Unit,
    wanted_watts: float | None,
    *,
    known_watts: float,
    needed_now: bool,
    tries_more: bool = False,
    rate_watts_per_s: float,
    dt_s: float,
    now_s: float,
) -> tuple[float | None, LimitMemory]:
    """The limit to command (None: no limit) and the memory of it.

    `wanted_watts` is the share of the room, None where nothing limits; `needed_now` says that a limit is being
    exceeded, so that even a small reduction counts, and one that says that it makes more than its limit gets no higher
    one: it is late, or its reading is stuck. `tries_more` that a step beyond what is seen is under way: it must
    not wait, or it fails for that alone; `dt_s` is the time since the last step. It rises with
    `rate_watts_per_s`, but at once to `known_watts`, what the inverter is known to be about to make: the ramp is for
    what is not known.
    """
    rating, before = unit.rating_watts, unit.memory.limit
    if rating is None:
        return None, before
    wanted = rating if wanted_watts is None else min(wanted_watts, rating)
    if needed_now and above_limit_since_s(unit, now_s) is not None:
        wanted = min(wanted, unit.limit_watts)
    if wanted > known_watts:
        rise = rise_watts(
            rate_watts_per_s,
            changed_at_s=before.changed_at_s,
            now_s=now_s,
            dt_s=dt_s,
            small_watts=SMALL_PART_OF_RATING * rating,
        )
        wanted = min(wanted, max(unit.limit_watts + rise, known_watts))
    if wanted < unit.limit_watts and needed_now:
        limit, pending = wanted, None
    else:
        part = TRIED_PART_OF_RATING if tries_more and wanted > unit.limit_watts else SMALL_PART_OF_RATING
        limit, pending = settle(
            unit.limit_watts,
            wanted,
            small_watts=part * rating,
            pending=before.pending,
            now_s=now_s,
        )
    command = None if limit >= rating * (1 - SMALL_PART_OF_RATING / 10) else limit
    if command != before.watts:
        return command, LimitMemory(command, pending, now_s)
    return command, before if pending == before.pending else LimitMemory(command, pending, before.changed_at_s)
