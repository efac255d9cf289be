"""An inverter actor where readings take long: on a serial line, and wherever messages pile up meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.clock import ManualClock
from actors.messages import Acknowledged, Command, Read, Report
from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.devices.base import ReadRequest
from tests.actors.test_inverter import Bench, make_command
from tests.support.devices.fake_driver import AC_AT, LIMIT_AT, TARGET_AT, FakeDriver
from tests.support.plants.plant import ServerThread

LINE = {"port": "/dev/line"}
READ, WRITE = 3, 16


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Over TCP all the same: what the actor does is up to site.yaml."""
    with ServerThread() as servers:
        bench = Bench(servers, tmp_path / "state")
        bench.start(serial=LINE)
        yield bench
        bench.link.close()


def charge(bench: Bench, watts: float, limit_watts: float | None = None) -> Command:
    battery = BatteryCommand(BatteryMode.CHARGE, watts, watts, watts)
    return Command(make_command(limit_watts, battery=battery), bench.clock.now_s())


def test_a_small_step_waits_until_the_device_has_been_read(bench: Bench) -> None:
    bench.read()
    bench.tell(charge(bench, 1000.0))
    bench.tell(charge(bench, 1100.0))
    assert bench.box.words[TARGET_AT] == 1000

    bench.read()
    assert bench.box.words[TARGET_AT] == 1000
    bench.read()
    assert bench.box.words[TARGET_AT] == 1100


def test_a_small_step_after_a_reading_is_carried_out_at_once(bench: Bench) -> None:
    bench.read()
    bench.tell(charge(bench, 1000.0))
    bench.read()
    bench.tell(charge(bench, 1100.0))

    assert bench.box.words[TARGET_AT] == 1100


def test_a_large_step_and_a_limit_that_falls_do_not_wait(bench: Bench) -> None:
    bench.read()
    bench.tell(charge(bench, 1000.0))
    bench.tell(charge(bench, 2000.0))
    assert bench.box.words[TARGET_AT] == 2000

    bench.tell(charge(bench, 2000.0, limit_watts=900.0))
    assert bench.box.words[LIMIT_AT] == 900


def test_a_reading_is_broken_off_once_for_a_limit_that_falls(bench: Bench) -> None:
    bench.read()
    bench.tell(charge(bench, 1000.0))
    bench.box.requests.clear()
    now_s = bench.clock.now_s()
    bench.tell(Read(2, now_s + 1), charge(bench, 1000.0, limit_watts=500.0))

    assert [function for function, *_ in bench.box.requests][:2] == [WRITE, READ]
    assert bench.box.requests[0][1] == LIMIT_AT
    assert [report.cycle for report in bench.site.of(Report)] == [1, 2]


class SlowDriver(FakeDriver):
    """Of a device that takes its time for a reading."""

    def __init__(self, clock: ManualClock, seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    def plan_reads(self, device: Any) -> tuple[ReadRequest, ...]:
        self._clock.advance(self._seconds)
        return super().plan_reads(device)


@pytest.mark.parametrize(("seconds", "first"), [(0.1, READ), (1.5, WRITE)])
def test_over_a_network_it_is_broken_off_where_readings_take_long(bench: Bench, seconds: float, first: int) -> None:
    bench.start(SlowDriver(bench.clock, seconds))
    bench.read()
    bench.tell(charge(bench, 1000.0))
    bench.box.requests.clear()
    now_s = bench.clock.now_s()
    bench.tell(Read(2, now_s + 5), charge(bench, 1000.0, limit_watts=500.0))

    assert bench.box.requests[0][0] == first
    assert [report.cycle for report in bench.site.of(Report)] == [1, 2]


def test_a_reading_goes_on_where_only_a_small_step_waits(bench: Bench) -> None:
    bench.read()
    bench.tell(charge(bench, 1000.0))
    bench.box.requests.clear()
    bench.tell(Read(2, bench.clock.now_s() + 1), charge(bench, 1100.0))

    assert bench.box.requests[0][:2] == (READ, AC_AT)


@pytest.mark.parametrize("serial", [None, LINE], ids=["network", "line"])
def test_of_commands_with_late_readings_between_them_only_the_newest_is_carried_out(
    bench: Bench, serial: dict[str, str] | None
) -> None:
    bench.start(serial=serial)
    bench.read()
    bench.clock.advance(2.0)
    late = Read(2, bench.clock.now_s() - 1.0)
    now_s = bench.clock.now_s()
    bench.tell(*(each for limit in (300.0, 200.0, 100.0) for each in (Command(make_command(limit), now_s), late)))

    assert bench.box.writes == [(LIMIT_AT, 1)]
    assert bench.box.words[LIMIT_AT] == 100
    assert len(bench.site.of(Acknowledged)) == 1
    assert [report.cycle for report in bench.site.of(Report)] == [1, 2]


def test_of_commands_with_readings_between_them_that_are_in_time_only_the_newest_is_carried_out(bench: Bench) -> None:
    bench.start()
    bench.read()
    now_s = bench.clock.now_s()
    bench.box.writes.clear()
    bench.tell(
        *(each for limit in (300.0, 900.0, 100.0) for each in (Command(make_command(limit), now_s), Read(2, now_s + 1)))
    )

    assert bench.box.writes == [(LIMIT_AT, 1)]
    assert bench.box.words[LIMIT_AT] == 100
