"""Reasons in the log: whose words change is told, in full, and not every second."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from orchestrator.telemetry.log.events import Entry
from orchestrator.telemetry.log.reasons import LASTS_S, QUIET_S, Told, reason_entries
from tests.support.plants.closed_loop import ClosedLoop, Moment
from tests.support.plants.example_site import DARK, SUNNY, plant

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long


class Listener:
    """Hears of every cycle of a plant."""

    def __init__(self) -> None:
        self._told: dict[str, Told] = {}

    def hear(self, moments: Sequence[Moment]) -> list[tuple[float, Entry]]:
        said = []
        for moment in moments:
            assert moment.result is not None
            self._told, entries = reason_entries(self._told, moment.result)
            said += [(moment.at_s, entry) for entry in entries]
        return said


@pytest.fixture
def loop() -> ClosedLoop:
    return plant(pv_watts=DARK, load_watts=3000.0)


def test_what_decides_is_told_of_the_site_and_of_each_inverter_soon_after_the_start(loop: ClosedLoop) -> None:
    said = Listener().hear(loop.run(10))

    assert [entry.inverter for _, entry in said] == [None, "east", "west", "roof"]
    assert all(at_s <= 5.0 for at_s, _ in said)
    assert {entry.event for _, entry in said} == {"reason"}
    assert said[0][1].message.startswith("why: discharge ")
    assert said[0][1].message.endswith(" W: covers the load")
    assert said[1][1].message.endswith(" W: share by capacity; no AC limit: nothing limits AC")


def test_nothing_is_told_while_only_numbers_change(loop: ClosedLoop) -> None:
    listener = Listener()
    listener.hear(loop.run(20))
    loop.site.set_load(4000.0)

    assert listener.hear(loop.run(200)) == []


def test_a_limit_is_told_with_its_source_once_it_decides(loop: ClosedLoop) -> None:
    listener = Listener()
    listener.hear(loop.run(QUIET_S + 10))
    began_s = loop.history[-1].at_s
    loop.ask(battery_discharge_max_watts=1000.0)
    said = listener.hear(loop.run(10))

    assert [entry.inverter for _, entry in said] == [None]
    assert "at most the discharge limit of 1000 W (fixed)" in said[0][1].message
    assert LASTS_S <= said[0][0] - began_s <= LASTS_S + 2.0


def test_a_subject_that_changes_all_the_time_is_told_once_a_minute(loop: ClosedLoop) -> None:
    listener, told = Listener(), []
    for round_number in range(60):
        loop.ask(**({"battery_discharge_max_watts": 1000.0} if round_number % 2 else {}))
        told += [at_s for at_s, entry in listener.hear(loop.run(5)) if entry.inverter is None]

    assert 3 <= len(told) <= 6
    assert all(later - at_s >= QUIET_S for at_s, later in pairwise(told))


def test_what_passes_is_not_told() -> None:
    loop = plant(pv_watts=SUNNY)
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=0.0)
    listener = Listener()
    said = listener.hear(loop.run(30))

    assert not any("throttled" in entry.message or "all batteries together" in entry.message for _, entry in said)
