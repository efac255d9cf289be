"""Groups of batteries for property tests, and a day of random targets in which their states of charge move."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.config.sections import FewestUnitsConfig
from orchestrator.decide.allocation.fewest_units import remember_use
from orchestrator.decide.allocation.spread import AllocatableBattery, Allocation, BatteryUse, allocate_battery_power

NOW_S = 1e6

power = st.floats(0, 50000)
uses = st.builds(
    BatteryUse, running=st.booleans(), switched_at_s=st.floats(NOW_S - 1e4, NOW_S), used_s=st.floats(0, 1e5)
)
batteries = st.lists(
    st.builds(
        AllocatableBattery,
        name=st.uuids().map(str),
        capacity_wh=st.none() | st.floats(100, 1e6),
        charge_max_watts=power,
        discharge_max_watts=power,
        soc_percent=st.none() | st.floats(0, 100),
        soc_min_percent=st.floats(0, 40),
        soc_max_percent=st.floats(60, 100),
        reachable=st.booleans(),
        rated_watts=st.none() | st.floats(500, 50000),
        use=uses,
    ),
    min_size=1,
    max_size=100,
    unique_by=lambda b: b.name,
)
targets = st.floats(-1e6, 1e6)


@dataclass(frozen=True)
class Step:
    """One step of a simulated day: the batteries as they were, what was asked, and what they were given."""

    at_s: float
    batteries: tuple[AllocatableBattery, ...]
    target_watts: float
    allocation: Allocation


def random_batteries(dice: random.Random, count: int) -> list[AllocatableBattery]:
    """Batteries of different size that fill in one to four hours."""
    group = []
    for index in range(count):
        capacity_wh = dice.choice([5000.0, 10000.0, 15000.0, 20000.0])
        watts = capacity_wh / dice.choice([1.0, 2.0, 4.0])
        group.append(AllocatableBattery(f"b{index}", capacity_wh, watts, watts, dice.uniform(10, 90), 5.0, 95.0))
    return group


def random_targets(dice: random.Random, largest_watts: float, steps: int) -> Iterator[float]:
    """A target for each step: it drifts, it jumps now and then, and sometimes nothing is asked."""
    target = 0.0
    for _ in range(steps):
        if dice.random() < 0.02:
            target = dice.choice([0.0, dice.uniform(-1, 1), dice.uniform(-0.1, 0.1)]) * largest_watts
        target += dice.gauss(0, 0.003) * largest_watts
        yield 0.0 if dice.random() < 0.05 else target


def simulate(
    group: Sequence[AllocatableBattery],
    asked_watts: Iterator[float],
    strategy: str,
    *,
    dt_s: float = 60.0,
    settings: FewestUnitsConfig | None = None,
) -> Iterator[Step]:
    """Let the batteries do what they are given, step after step."""
    now_s, uses_by_name = 0.0, {}
    current = tuple(group)
    for target in asked_watts:
        allocation = allocate_battery_power(target, current, strategy, now_s=now_s, fewest_units=settings)
        yield Step(now_s, current, target, allocation)
        if allocation.running is not None:
            used = frozenset(name for name, share in allocation.shares.items() if share.watts)
            uses_by_name = remember_use(uses_by_name, allocation.running, used, now_s=now_s, dt_s=dt_s)
        current = tuple(
            replace(_moved(b, allocation.watts(b.name), dt_s), use=uses_by_name.get(b.name, b.use)) for b in current
        )
        now_s += dt_s


def _moved(battery: AllocatableBattery, watts: float, dt_s: float) -> AllocatableBattery:
    assert battery.soc_percent is not None
    assert battery.capacity_wh is not None
    change = 100 * watts * dt_s / 3600 / battery.capacity_wh
    return replace(battery, soc_percent=min(max(battery.soc_percent + change, 0.0), 100.0))


def spread_percent(group: Sequence[AllocatableBattery]) -> float:
    """From the emptiest to the fullest."""
    socs = [b.soc_percent for b in group if b.soc_percent is not None]
    return max(socs) - min(socs)
