from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from actors.actor import Surroundings
from actors.clock import ManualClock, RealClock
from actors.link import ModbusLink
from actors.messages import Report, Tick
from actors.meter import MeterActor
from actors.observer import NoObserver
from orchestrator.config.sections import MeterConfig
from orchestrator.samples import MeterSample
from tests.support.devices.fake_driver import MAGIC_AT, NEW_DEVICE, NONE, SITE_AT, SOC_AT, FakeDriver
from tests.support.inboxes import Inbox
from tests.support.plants.plant import ServerThread


class Bench:
    """A meter actor without a thread, over a real connection to a real server; the test moves the clock."""

    def __init__(self, servers: ServerThread, **config: Any) -> None:
        self.box = servers.box({**NEW_DEVICE, SITE_AT: 500})
        self.clock = ManualClock()
        self.site = Inbox()
        self.link = ModbusLink("127.0.0.1", self.box.port, 10.0, RealClock(), NoObserver())
        self.actor = MeterActor(
            Surroundings(self.clock, NoObserver(), Inbox()),
            config=MeterConfig.model_validate({"host": "127.0.0.1", **config}),
            driver=FakeDriver(),
            link=self.link,
            site=self.site,
            report_interval_s=1.0,
        )
        self.actor.actor_ref.tell(Tick())

    def advance(self, seconds: float) -> None:
        """Let time pass; every poll happens at its own time."""
        end_s = self.clock.now_s() + seconds
        self._drain()
        while (due_s := self.clock.next_due_s()) is not None and due_s <= end_s:
            self.clock.advance(due_s - self.clock.now_s())
            self._drain()
        self.clock.advance(end_s - self.clock.now_s())

    def _drain(self) -> None:
        while not self.actor.actor_inbox.empty():
            self.actor.on_receive(self.actor.actor_inbox.get().message)

    @property
    def samples(self) -> list[MeterSample]:
        return [report.sample for report in self.site.of(Report) if isinstance(report.sample, MeterSample)]

    @property
    def faults(self) -> list[str]:
        return [report.fault for report in self.site.of(Report) if report.fault is not None]


@pytest.fixture
def servers() -> Iterator[ServerThread]:
    with ServerThread() as servers:
        yield servers


@pytest.fixture
def bench(servers: ServerThread) -> Iterator[Bench]:
    bench = Bench(servers)
    yield bench
    bench.link.close()


def test_the_first_poll_reports_the_power(bench: Bench) -> None:
    bench.advance(0.0)

    assert [sample.site_watts for sample in bench.samples] == [500.0]


def test_it_is_polled_four_times_a_second(bench: Bench) -> None:
    bench.advance(0.99)

    assert len([read for read in bench.box.reads if read[0] != MAGIC_AT]) == 4


def test_a_new_value_is_reported_at_once_and_an_old_one_once_an_interval(bench: Bench) -> None:
    bench.advance(0.5)
    bench.box.words[SITE_AT] = 600
    bench.advance(1.74)

    assert [(s.site_watts, s.at_s - 1000.0, s.changed_at_s - 1000.0) for s in bench.samples] == [
        (500.0, 0.0, 0.0),
        (600.0, 0.75, 0.75),
        (600.0, 1.75, 0.75),
    ]


def test_a_counter_that_runs_makes_no_new_value(bench: Bench) -> None:
    for _ in range(8):
        bench.advance(0.25)
        bench.box.words[SOC_AT] += 1

    assert len({sample.import_wh for sample in bench.samples}) > 1
    assert {sample.changed_at_s - 1000.0 for sample in bench.samples} == {0.0}


def test_a_failure_is_reported_once_per_attempt_and_attempts_are_at_most_two_seconds_apart(bench: Bench) -> None:
    bench.advance(0.0)
    bench.box.stop()
    bench.advance(9.6)

    # at 0.25, 0.75, 1.75, 3.75, 5.75, 7.75
    assert bench.faults == ["connection"] * 6


def test_a_meter_that_is_back_is_found_again(bench: Bench) -> None:
    bench.advance(0.0)
    bench.box.stop()
    bench.advance(1.0)
    bench.box.start()
    bench.advance(2.0)

    assert bench.samples[-1].at_s > 1001.0


def test_nonsense_is_a_fault_and_polling_goes_on(bench: Bench) -> None:
    bench.box.words[SITE_AT] = NONE
    bench.advance(0.3)
    bench.box.words[SITE_AT] = 700
    bench.advance(0.3)

    assert bench.faults == ["nonsense"] * 2
    assert [sample.site_watts for sample in bench.samples] == [700.0]


def test_what_it_says_is_in_the_sign_of_the_meter_whatever_site_yaml_says(servers: ServerThread) -> None:
    bench = Bench(servers, sign="export_positive")
    bench.advance(0.0)
    bench.link.close()

    assert [sample.site_watts for sample in bench.samples] == [500.0]
