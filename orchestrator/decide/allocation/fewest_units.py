"""`fewest_units`: few batteries at low load, because inverters waste power below about 20 % of their rating.

A battery is switched at these points, and at no others:
- One more starts, at once, when those that run would stand above `START_ABOVE_PART` of what they can do.
- One stops when those that run stand below `load_percent` of their ratings, the others would then stand at most at
  `STOP_INTO_PART`, and it has run for `switch_min_s`.
- One takes over from another that has run for `rotate_s` and was used longer in all.
So a battery that was started runs for `switch_min_s` at least: it starts and stops at most once in that time.
The least used starts first, the most used stops first. A battery that cannot serve now (full, empty, away) keeps its
place, and others are started for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import fsum
from typing import Final

from msgspec.structs import replace

from orchestrator.decide.allocation.base import AllocatableBattery, Ask, BatteryUse, Spread, share_by_weight
from orchestrator.reason import Reason, because

RUNS_FOR_ALL: Final = because("runs_for_all")
RESTS: Final = because("rests_few_suffice")
ALL_RUN: Final = because("all_run")

START_ABOVE_PART = 0.8
STOP_INTO_PART = 0.6
"""Parts of what the running batteries can do. The first leaves them some reserve until another has started; the gap
between both keeps one from starting and stopping by turns."""


def on_fewest_units(ask: Ask) -> Spread:
    """Choose who runs, then share over them in proportion to what each is rated for: all stand at the same load."""
    able = {b.name: b for b in ask.batteries if b.room_watts(ask.charging) > 0}
    running = frozenset(b.name for b in ask.batteries if b.use.running)
    chosen = running if ask.amount_watts <= 0 else _choose(ask, able, running)
    rooms = {name: room if name in chosen else 0.0 for name, room in ask.rooms_watts().items()}
    weights = {b.name: _rated_watts(b) for b in ask.batteries}
    reasons = dict.fromkeys(able, ALL_RUN) if chosen >= able.keys() else _reasons(able, chosen)
    return Spread(share_by_weight(ask.amount_watts, rooms, weights), reasons, chosen)


def remember_use(
    before: Mapping[str, BatteryUse], running: frozenset[str], used: frozenset[str], *, now_s: float, dt_s: float
) -> dict[str, BatteryUse]:
    """The memory after a step in which `running` run and `used` have power; of those that are away it stays."""
    after = dict(before)
    for name in before.keys() | running | used:
        use = before.get(name, BatteryUse())
        if use.running != (name in running):
            use = replace(use, running=name in running, switched_at_s=now_s)
        after[name] = replace(use, used_s=use.used_s + dt_s) if name in used else use
    return after


def _choose(ask: Ask, able: Mapping[str, AllocatableBattery], running: frozenset[str]) -> frozenset[str]:
    chosen = _started(ask, able, running)
    if chosen != running:
        return chosen
    chosen = _stopped(ask, able, running)
    return chosen if chosen != running else _rotated(ask, able, running)


def _started(ask: Ask, able: Mapping[str, AllocatableBattery], running: frozenset[str]) -> frozenset[str]:
    chosen = running
    for battery in sorted((able[name] for name in able.keys() - running), key=lambda b: _least_used(b, ask.charging)):
        if ask.amount_watts <= START_ABOVE_PART * _room_watts(ask, able, chosen):
            break
        chosen |= {battery.name}
    return chosen


def _stopped(ask: Ask, able: Mapping[str, AllocatableBattery], running: frozenset[str]) -> frozenset[str]:
    chosen = running
    part = ask.fewest_units.load_percent / 100
    for battery in _most_used(able[name] for name in running & able.keys()):
        if ask.amount_watts >= part * fsum(_rated_watts(able[name]) for name in chosen & able.keys()):
            break
        rest = chosen - {battery.name}
        suffices = ask.amount_watts <= STOP_INTO_PART * _room_watts(ask, able, rest)
        if suffices and _has_been(battery, ask.fewest_units.switch_min_s, ask.now_s):
            chosen = rest
    return chosen


def _rotated(ask: Ask, able: Mapping[str, AllocatableBattery], running: frozenset[str]) -> frozenset[str]:
    settings = ask.fewest_units
    fresh = sorted((able[name] for name in able.keys() - running), key=lambda b: _least_used(b, ask.charging))
    for old in _most_used(able[name] for name in running & able.keys()):
        if not _has_been(old, max(settings.rotate_s, settings.switch_min_s), ask.now_s):
            continue
        for new in fresh:
            swapped = running - {old.name} | {new.name}
            suffices = ask.amount_watts <= START_ABOVE_PART * _room_watts(ask, able, swapped)
            if suffices and new.use.used_s < old.use.used_s and _has_been(new, settings.switch_min_s, ask.now_s):
                return swapped
    return running


def _reasons(able: Iterable[str], chosen: frozenset[str]) -> dict[str, Reason]:
    return {name: RUNS_FOR_ALL if name in chosen else RESTS for name in able}


def _has_been(battery: AllocatableBattery, seconds: float, now_s: float) -> bool:
    """Whether its last switching is so long ago."""
    return now_s - battery.use.switched_at_s >= seconds


def _room_watts(ask: Ask, able: Mapping[str, AllocatableBattery], names: frozenset[str]) -> float:
    return fsum(able[name].room_watts(ask.charging) for name in names & able.keys())


def _rated_watts(battery: AllocatableBattery) -> float:
    return max(battery.rated_watts or max(battery.charge_max_watts, battery.discharge_max_watts), 1.0)


def _least_used(battery: AllocatableBattery, charging: bool) -> tuple[float, float, str]:
    """Order of starting. Among those used alike, the emptier charges first and the fuller discharges first."""
    soc = battery.soc_percent or 0.0
    return battery.use.used_s, soc if charging else -soc, battery.name


def _most_used(batteries: Iterable[AllocatableBattery]) -> list[AllocatableBattery]:
    """Order of stopping."""
    return sorted(batteries, key=lambda b: (-b.use.used_s, b.name))
