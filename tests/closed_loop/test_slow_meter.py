"""A meter that site.yaml lets be read seldom: it answers only that often, and that is no silence."""

from __future__ import annotations

import pytest

from orchestrator.config.sections import MeterConfig
from tests.support.plants.closed_loop import ClosedLoop, Moment
from tests.support.plants.example_site import plant


def slow(read_every_s: int) -> ClosedLoop:
    loop = plant()
    meter = MeterConfig(host="h", interval_s=read_every_s)
    loop.config = loop.config.model_copy(update={"meter": meter})
    loop.ask(export_limit_watts=5000.0)
    return loop


def run(loop: ClosedLoop, seconds: int, read_every_s: int) -> list[Moment]:
    """The meter answers at the end of every `read_every_s`, from the first second on."""
    moments: list[Moment] = []
    for second in range(seconds):
        loop.meter_silent = second % read_every_s != 0
        moments += loop.run(1)
    return moments


@pytest.mark.parametrize("read_every_s", [2, 3, 5, 10, 60])
def test_a_meter_that_answers_as_seldom_as_it_is_read_is_no_failsafe(read_every_s: int) -> None:
    moments = run(slow(read_every_s), 6 * read_every_s, read_every_s)

    assert {moment.mode for moment in moments} == {"normal"}


@pytest.mark.parametrize(("read_every_s", "silent_after_s"), [(1, 3.0), (5, 6.5), (60, 61.5)])
def test_a_slow_meter_that_does_fall_silent_is_noticed_once_its_next_answer_is_overdue(
    read_every_s: int, silent_after_s: float
) -> None:
    loop = slow(read_every_s)
    answered_s = run(loop, 2 * read_every_s + 1, read_every_s)[-1].at_s
    loop.meter_silent = True
    moments = loop.run(silent_after_s + 5)

    for moment in moments:
        silent_s = moment.at_s - answered_s
        assert moment.mode == ("failsafe" if silent_s > silent_after_s else "normal"), f"{silent_s:g} s"
