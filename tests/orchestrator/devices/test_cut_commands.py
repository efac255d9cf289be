"""A kill between any two writes of a command: limits hold, and no battery window is wider than before and after.

Each make's virtual device takes the writes of one command one by one, as a process that is killed in between leaves
them. Every pair of commands is tried, and a kill after each write; where a request carries one word only, after each
word. Stale settings of earlier, larger commands are in the registers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from math import inf

import pytest

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.simulation.physics import Controls
from tests.makes.test_makes import MAKES
from tests.support.devices.cut_bench import CutBench
from tests.support.devices.quick_cases import quick_cases

pytestmark = pytest.mark.no_cover  # thousands of commands: what they reach is reached by tests of the encoders

QUICK = ("sunspec-1xx", "sunspec-7xx", "huawei-luna", "victron-gx")
"""One for each way of commanding: models 123 and 124, model 704, registers in RAM and in flash, a set point."""
VALID_FOR_S = 60.0
CLOSE_WATTS = 60.0
"""Rounding of registers: percents of the rating, tens of watts, losses between AC and battery."""


def window(low_watts: float | None, high_watts: float | None, *, grid: bool) -> BatteryCommand:
    watts = next((w for w in (low_watts, high_watts) if w), 0.0)
    mode = BatteryMode.CHARGE if watts > 0 else BatteryMode.DISCHARGE if watts < 0 else BatteryMode.IDLE
    return BatteryCommand(mode, watts, low_watts, high_watts, grid_charging=grid)


BATTERIES = {
    "charge": window(2000.0, 2000.0, grid=True),
    "charge less": window(900.0, 900.0, grid=False),
    "discharge": window(-1500.0, -1500.0, grid=False),
    "idle": window(0.0, 0.0, grid=False),
    "hold": window(0.0, 1200.0, grid=False),
}
LIMITS = (3000.0, 1200.0, 0.0, None)


def command(battery: BatteryCommand, limit_watts: float | None, *, reverts: bool = False) -> InverterCommand:
    return InverterCommand("east", VALID_FOR_S, ac_limit_watts=limit_watts, ac_limit_reverts=reverts, battery=battery)


LOUD = (window(4900.0, 4900.0, grid=True), window(-3900.0, -3900.0, grid=False))
"""What was commanded long ago."""


@dataclass(frozen=True)
class Cut:
    """What was in force before the command, what after it, and what a kill in between left."""

    before: Controls
    after: Controls
    left: Controls
    at: str


def obeying(make: str, first: InverterCommand) -> CutBench:
    bench = CutBench(make, MAKES[make].plant)
    for battery in LOUD:
        bench.obeying(command(battery, None))
    return bench.obeying(first)


def cuts(make: str, first: InverterCommand, second: InverterCommand) -> Iterator[Cut]:
    """A kill after each write of `second`, to a device that obeys `first`."""
    bench = obeying(make, first)
    before, seen = bench.controls, []
    for write in bench.planned(second):
        bench.take((write,))
        seen.append((bench.controls, write.register))
    after = bench.controls
    for left, register in seen[:-1]:
        yield Cut(before, after, left, f"{make}: after {register}")


def limit_of(controls: Controls) -> float:
    return inf if controls.ac_limit_watts is None else controls.ac_limit_watts


def low(controls: Controls) -> float:
    return -inf if controls.low_watts is None else controls.low_watts


def high(controls: Controls) -> float:
    return inf if controls.high_watts is None else controls.high_watts


def is_between(cut: Cut) -> bool:
    """Whether a kill left nothing that lets more through than what was in force before or would be after."""
    return (
        low(cut.left) >= min(low(cut.before), low(cut.after)) - CLOSE_WATTS
        and high(cut.left) <= max(high(cut.before), high(cut.after)) + CLOSE_WATTS
        and limit_of(cut.left) <= max(limit_of(cut.before), limit_of(cut.after)) + 1.0
    )


@pytest.mark.parametrize("make", quick_cases(sorted(MAKES), QUICK))
def test_a_battery_window_is_never_wider_than_before_and_after(make: str) -> None:
    for first, second in permutations(BATTERIES.values(), 2):
        for cut in cuts(make, command(first, 3000.0), command(second, 3000.0)):
            assert is_between(cut), cut


@pytest.mark.parametrize("make", quick_cases(sorted(MAKES), QUICK))
def test_an_ac_limit_is_never_above_the_higher_of_before_and_after(make: str) -> None:
    for reverts in (True, False):
        for first, second in permutations(LIMITS, 2):
            before = command(BATTERIES["charge"], first, reverts=reverts)
            after = command(BATTERIES["idle"], second, reverts=reverts)
            for cut in cuts(make, before, after):
                assert is_between(cut), cut


def _is_held(bench: CutBench) -> bool:
    """Whether the battery is kept from what it can do. A Victron that nobody tells anything takes what its PV makes."""
    state, battery = bench.site.inverters["east"].state, MAKES["sunspec-1xx"].plant.battery
    assert battery is not None
    if bench.make == "victron-gx":
        return not low(bench.controls) == high(bench.controls) == state.pv_available_watts
    return low(bench.controls) > -battery.discharge_watts or high(bench.controls) < battery.charge_watts


@pytest.mark.parametrize("make", quick_cases(sorted(n for n, m in MAKES.items() if m.falls_back_after_s), QUICK))
@pytest.mark.parametrize(
    ("first", "second"),
    [("idle", "charge"), pytest.param("charge", "discharge", marks=pytest.mark.long), ("discharge", "hold")],
)
def test_after_a_kill_in_between_the_battery_is_its_own_again_by_its_own_timer(
    make: str, first: str, second: str
) -> None:
    before, after = command(BATTERIES[first], 3000.0), command(BATTERIES[second], 1200.0)
    for written in range(len(obeying(make, before).planned(after))):
        bench = obeying(make, before)
        held = limit_of(bench.controls)
        bench.take(bench.planned(after)[:written])
        bench.site.advance(2 * max(VALID_FOR_S, MAKES[make].falls_back_after_s or 0.0))

        assert not _is_held(bench), (written, bench.controls)
        if MAKES[make].limits_ac:
            assert limit_of(bench.controls) <= held + 1.0, "under stay the AC limit holds"
