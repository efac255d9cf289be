"""Whether the plant still decides."""

from __future__ import annotations

from actors.clock import ManualClock
from actors.commands.run.cycle_watch import CYCLES, PATIENCE_S, CycleWatch
from tests.support.records.cycles import cycle_result


def test_a_plant_that_decides_is_not_stuck() -> None:
    clock = ManualClock()
    watch = CycleWatch(1.0, clock.now_s)
    for _ in range(10):
        clock.advance(PATIENCE_S - 1)
        assert not watch.is_stuck
        watch.tell(cycle_result())


def test_a_plant_that_has_decided_nothing_for_a_minute_is_stuck_also_at_its_start() -> None:
    clock = ManualClock()
    watch = CycleWatch(1.0, clock.now_s)
    clock.advance(PATIENCE_S + 1)
    assert watch.is_stuck

    watch.tell("something else")
    assert watch.is_stuck
    watch.tell(cycle_result())
    assert not watch.is_stuck


def test_long_cycles_are_waited_for() -> None:
    clock = ManualClock()
    watch = CycleWatch(1.0, clock.now_s)
    watch.expect(60.0)
    clock.advance(CYCLES * 60.0 - 1)
    assert not watch.is_stuck
    clock.advance(2)
    assert watch.is_stuck
