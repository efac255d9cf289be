"""The strategy `fewest_units`: few run at low load, they rotate, none is switched more often than configured."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.config.sections import FewestUnitsConfig
from orchestrator.decide.allocation.fewest_units import remember_use
from orchestrator.decide.allocation.spread import AllocatableBattery, Allocation, BatteryUse, allocate_battery_power
from orchestrator.explain.words import say
from tests.support.records.batteries import Step, batteries, random_batteries, random_targets, simulate

SETTINGS = FewestUnitsConfig(load_percent=20, switch_min_s=300, rotate_s=1800)
ALIKE = [AllocatableBattery(f"b{i}", 10000, 5000, 5000, 50, rated_watts=5000) for i in range(5)]
LONG_AGO = -1e9


def running(group: Sequence[AllocatableBattery], names: str) -> list[AllocatableBattery]:
    """The group with these batteries running since long ago, such as "b0 b1"."""
    return [replace(b, use=BatteryUse(b.name in names.split(), LONG_AGO)) for b in group]


def spread(target: float, group: Sequence[AllocatableBattery], now_s: float = 0.0) -> Allocation:
    return allocate_battery_power(target, group, "fewest_units", now_s=now_s, fewest_units=SETTINGS)


def working(allocation: Allocation) -> set[str]:
    return {name for name, share in allocation.shares.items() if share.watts}


@pytest.mark.parametrize(("target", "count"), [(100, 1), (-1500, 1), (4001, 2), (-12500, 4), (25000, 5)])
def test_few_run_at_low_load_and_all_at_full_load(target: float, count: int) -> None:
    assert len(working(spread(target, ALIKE))) == count


def test_those_that_run_stand_at_the_same_load() -> None:
    small = AllocatableBattery("small", 20000, 1000, 1000, 50, rated_watts=1000)
    allocation = spread(4500, running([ALIKE[0], small], "b0 small"))

    assert allocation.watts("b0") == pytest.approx(5 * allocation.watts("small"))


def test_one_starts_above_four_fifths_and_stops_below_a_fifth() -> None:
    assert working(spread(4000, running(ALIKE, "b0"))) == {"b0"}
    assert len(working(spread(4100, running(ALIKE, "b0")))) == 2
    assert working(spread(2100, running(ALIKE, "b0 b1"))) == {"b0", "b1"}
    assert len(working(spread(1900, running(ALIKE, "b0 b1")))) == 1


def test_none_stops_before_it_has_run_for_its_time() -> None:
    group = [replace(b, use=BatteryUse(b.name in ("b0", "b1"), switched_at_s=0.0)) for b in ALIKE]

    assert working(spread(500, group, now_s=299)) == {"b0", "b1"}
    assert len(working(spread(500, group, now_s=300))) == 1


def test_none_stops_where_the_others_would_stand_too_high() -> None:
    small = AllocatableBattery("small", 5000, 1000, 1000, 50, rated_watts=1000)
    big = replace(ALIKE[0], name="big", use=BatteryUse(True, LONG_AGO, used_s=1e5))
    allocation = spread(900, [big, replace(small, use=BatteryUse(True, LONG_AGO))])

    assert working(allocation) == {"big"}


def test_the_least_used_starts_and_the_most_used_stops() -> None:
    used = [replace(b, use=BatteryUse(used_s=100.0 - i)) for i, b in enumerate(ALIKE)]
    assert working(spread(1000, used)) == {"b4"}
    all_run = [replace(b, use=BatteryUse(True, LONG_AGO, 100.0 - i)) for i, b in enumerate(ALIKE)]
    assert working(spread(1500, all_run)) == {"b4"}


def test_the_most_used_stops_whatever_its_name() -> None:
    used_s = [10.0, 50.0, 30.0, 20.0, 40.0]
    group = [replace(b, use=BatteryUse(True, LONG_AGO, used)) for b, used in zip(ALIKE, used_s, strict=True)]

    assert working(spread(1500, group)) == {"b0"}
    assert working(spread(3900, group)) == {"b0", "b2", "b3"}


def test_none_takes_over_sooner_than_switching_is_allowed() -> None:
    hasty = FewestUnitsConfig(load_percent=20, switch_min_s=300, rotate_s=10)
    old = replace(ALIKE[0], use=BatteryUse(True, switched_at_s=0.0, used_s=299.0))
    fresh = replace(ALIKE[1], use=BatteryUse(False, LONG_AGO))

    def runs(now_s: float) -> set[str]:
        return working(allocate_battery_power(1000, [old, fresh], "fewest_units", now_s=now_s, fewest_units=hasty))

    assert runs(299.0) == {"b0"}
    assert runs(300.0) == {"b1"}


def test_among_those_used_alike_the_emptier_charges_and_the_fuller_discharges() -> None:
    group = [replace(b, soc_percent=50.0 - i) for i, b in enumerate(ALIKE)]

    assert working(spread(1000, group)) == {"b4"}
    assert working(spread(-1000, group)) == {"b0"}


def test_one_takes_over_from_another_after_its_time() -> None:
    group = [replace(b, use=BatteryUse(b.name == "b0", 0.0 if b.name == "b0" else LONG_AGO)) for b in ALIKE]
    used = [replace(b, use=replace(b.use, used_s=1800.0 if b.name == "b0" else 10.0)) for b in group]

    assert working(spread(1000, used, now_s=1799)) == {"b0"}
    assert working(spread(1000, used, now_s=1800)) == {"b1"}


def test_none_takes_over_that_began_to_rest_a_moment_ago_or_was_used_longer() -> None:
    old = replace(ALIKE[0], use=BatteryUse(True, LONG_AGO, used_s=1e4))
    rested = replace(ALIKE[1], use=BatteryUse(False, switched_at_s=0.0, used_s=10.0))
    more_used = replace(ALIKE[2], use=BatteryUse(False, LONG_AGO, used_s=2e4))

    assert working(spread(1000, [old, rested, more_used], now_s=299)) == {"b0"}
    assert working(spread(1000, [old, rested, more_used], now_s=300)) == {"b1"}


def test_another_starts_for_one_that_cannot_serve_and_it_keeps_its_place() -> None:
    group = running(ALIKE, "b0")
    full = [replace(group[0], soc_percent=100.0), *group[1:]]
    allocation = spread(1000, full)

    assert working(allocation) == {"b1"}
    assert allocation.running == {"b0", "b1"}
    assert say(allocation.shares["b0"].reason) == "full at 100 %"


def test_without_power_nothing_is_switched() -> None:
    assert spread(0, running(ALIKE, "b0 b1 b2")).running == {"b0", "b1", "b2"}


def test_each_part_says_why() -> None:
    allocation = spread(1000, running(ALIKE, "b0"))

    assert say(allocation.shares["b0"].reason) == "runs for all, few batteries suffice"
    assert say(allocation.shares["b1"].reason) == "rests, few batteries suffice"


@given(st.floats(-1e6, 1e6), st.floats(-50, 50), batteries)
def test_a_small_change_of_the_target_makes_small_changes_but_where_one_is_switched(
    target: float, change: float, group: list[AllocatableBattery]
) -> None:
    if (target > 0) != (target + change > 0):
        return
    before, after = spread(target, group, now_s=1e6), spread(target + change, group, now_s=1e6)

    if before.running == after.running:
        moved = [abs(after.watts(b.name) - before.watts(b.name)) for b in group]
        assert sum(moved) <= abs(change) + 1e-3


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 100))
def test_none_is_switched_more_often_than_configured_and_few_run_at_low_load(seed: int, count: int) -> None:
    dice = random.Random(seed)
    group = random_batteries(dice, count)
    largest = sum(b.charge_max_watts for b in group)
    steps = list(simulate(group, random_targets(dice, largest, 60), "fewest_units", dt_s=30, settings=SETTINGS))

    assert_seldom_switched(steps)
    for step in steps:
        assert_not_more_than_needed(step)


def assert_seldom_switched(steps: Sequence[Step]) -> None:
    """Each battery starts at most once in the configured time, and stops at most once."""
    switched: defaultdict[tuple[str, bool], list[float]] = defaultdict(list)
    before: frozenset[str] = frozenset()
    for step in steps:
        now = step.allocation.running
        assert now is not None
        for name in now ^ before:
            switched[name, name in now].append(step.at_s)
        before = now
    for times in switched.values():
        assert all(later - at_s >= SETTINGS.switch_min_s for at_s, later in pairwise(times))


def assert_not_more_than_needed(step: Step) -> None:
    """Whoever works below the load that is worth it could not be stopped yet, or the others could not do it alone."""
    charging, amount = step.target_watts > 0, abs(step.target_watts)
    at_work = [b for b in step.batteries if b.name in working(step.allocation)]
    rated = sum(max(b.charge_max_watts, b.discharge_max_watts) for b in at_work)
    if len(at_work) < 2 or amount >= 0.2 * rated:
        return
    before = {b.name for b in step.batteries if b.use.running}
    if before != step.allocation.running:
        return  # one thing at a time: it was switched in this step
    for battery in at_work:
        others = sum(b.room_watts(charging) for b in at_work if b is not battery)
        too_early = step.at_s - battery.use.switched_at_s < SETTINGS.switch_min_s
        assert too_early or amount > 0.6 * others


@pytest.mark.parametrize("count", [2, 3, 7])
def test_at_low_load_one_runs_at_a_time_and_all_are_used_alike_over_a_day(count: int) -> None:
    group = [AllocatableBattery(f"b{i}", 100000, 5000, 5000, 50, rated_watts=5000) for i in range(count)]
    seconds: Counter[str] = Counter()
    for step in simulate(group, iter([-800.0] * 24 * 60), "fewest_units", settings=SETTINGS):
        assert len(working(step.allocation)) == 1
        seconds.update(dict.fromkeys(working(step.allocation), 60))

    assert max(seconds.values()) - min(seconds[b.name] for b in group) <= SETTINGS.rotate_s


def test_a_battery_that_is_away_is_remembered() -> None:
    before = {"away": BatteryUse(True, 5.0, 50.0)}
    after = remember_use(before, frozenset({"away", "new"}), frozenset({"new"}), now_s=10.0, dt_s=1.0)

    assert after == {"away": BatteryUse(True, 5.0, 50.0), "new": BatteryUse(True, 10.0, 1.0)}
