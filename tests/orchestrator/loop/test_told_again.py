"""Who is told again what it was told: everybody but those that report that they obey it."""

from __future__ import annotations

import pytest

from orchestrator.loop.messages import Command, Obeyed, ReleaseAsked, Report, ResumeAsked, TimePassed
from tests.support.plants.loop_bench import Bench, sample

LONG_S = 1e9


@pytest.fixture
def bench() -> Bench:
    """A site that has commanded once."""
    bench = Bench()
    bench.tell(TimePassed())
    bench.round("east", "west", watts=100.0)
    return bench


def report(bench: Bench, obeyed: Obeyed | None, *, watts: float = 100.0) -> None:
    """One more cycle, in which east reports `obeyed`."""
    bench.advance(1.0)
    bench.meter(watts)
    bench.tell(Report("east", bench.cycle, sample("east", bench.now_s), obeyed=obeyed))
    bench.report("west")


def last(bench: Bench, name: str = "east") -> Command:
    return bench.commands(name)[-1]


def test_an_inverter_that_reports_to_obey_is_not_told_the_same_again(bench: Bench) -> None:
    told = last(bench)
    report(bench, Obeyed(told.issued_at_s, LONG_S), watts=100.5)

    assert bench.results[-1].commands[0].asks_the_same(told.command)
    assert last(bench) is told
    assert len(bench.commands("west")) == 2


def test_it_is_told_what_is_different(bench: Bench) -> None:
    told = last(bench)
    report(bench, Obeyed(told.issued_at_s, LONG_S), watts=-3000.0)

    assert not last(bench).command.asks_the_same(told.command)


@pytest.mark.parametrize("lost", ["it", "what was told before", "renewal"])
def test_it_is_told_again_where_the_command_got_lost_is_not_in_force_or_is_to_be_renewed(
    bench: Bench, lost: str
) -> None:
    told = last(bench)
    obeyed = {
        "it": None,
        "what was told before": Obeyed(told.issued_at_s - 1.0, LONG_S),
        "renewal": Obeyed(told.issued_at_s, bench.now_s + 1.0),
    }
    report(bench, obeyed[lost], watts=100.5)

    assert last(bench) is not told
    assert last(bench).command.asks_the_same(told.command)


def test_who_reports_late_obeys_any_of_the_commands_that_asked_the_same(bench: Bench) -> None:
    first = last(bench)
    report(bench, None, watts=100.5)
    again = last(bench)
    assert again is not first

    report(bench, Obeyed(first.issued_at_s, LONG_S), watts=100.7)

    assert last(bench) is again


def test_one_that_was_away_is_told_again(bench: Bench) -> None:
    told = last(bench)
    report(bench, Obeyed(told.issued_at_s, LONG_S), watts=100.5)
    bench.advance(1.0)
    bench.meter(101.0)
    bench.fault("east")
    bench.report("west")
    report(bench, None, watts=101.5)

    assert last(bench).issued_at_s == bench.now_s


def test_one_that_was_handed_back_is_told_again_although_it_reported_to_obey_before(bench: Bench) -> None:
    told = last(bench)
    report(bench, Obeyed(told.issued_at_s, LONG_S), watts=100.0)
    bench.now_s += 0.3
    bench.tell(ReleaseAsked())
    assert bench.released() == ["east", "west"]

    bench.now_s += 0.3
    bench.tell(ResumeAsked())

    assert last(bench).issued_at_s == bench.now_s
    assert last(bench).command.asks_the_same(told.command)
