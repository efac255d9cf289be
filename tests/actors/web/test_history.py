"""The curves while they are collected: over HTTP, after a restart, and with a disk that does not work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from actors.clock import ManualClock
from actors.files.history_file import FILE_NAME
from actors.web.history import MOST_WAITING, History
from orchestrator.telemetry.history import SITE
from tests.support.records.cycles import cycle_result
from tests.support.servers.required import wait_until
from tests.support.web import web, web_config

T = 1_800_000_000 // 1800 * 1800


class Wall:
    """A wall clock that a test moves."""

    def __init__(self, now_s: float = T) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def feed(history: History, wall: Wall, seconds: int, watts: float) -> None:
    for _ in range(seconds):
        history.take(cycle_result(site_watts=watts))
        wall.now_s += 1.0


def test_values_are_right_before_and_after_a_restart(tmp_path: Path) -> None:
    wall = Wall()
    before = History(tmp_path, 31, wall)
    feed(before, wall, 60, 100.0)
    shown = before.read(SITE, 1)
    before.close()
    after = History(tmp_path, 31, wall)
    feed(after, wall, 60, 300.0)
    fine, coarse = after.read(SITE, 1), after.read(SITE, 100)
    after.close()
    again = History(tmp_path, 31, wall)
    written = again.read(SITE, 100)
    again.close()

    assert [watts for watts in shown["site_watts"] if watts is not None] == [100.0] * 5
    assert [watts for watts in fine["site_watts"] if watts is not None] == [100.0] * 6 + [300.0] * 5
    assert [watts for watts in coarse["site_watts"] if watts is not None] == [100.0]
    assert [watts for watts in written["site_watts"] if watts is not None] == [200.0]


def test_they_are_told_over_http(tmp_path: Path) -> None:
    clock = ManualClock()
    with web(web_config(tmp_path), clock=clock) as served:
        for _ in range(62):
            served.ref.tell(cycle_result())
            served.ref.proxy().actor_name.get()  # it has taken what it was told
            clock.advance(1.0)
        site = served.ask("/api/v1/history?hours=1").said
        inverter = served.ask("/api/v1/history?hours=1&inverter=east").said

        assert set(site["site_watts"]) == {None, -500}
        assert site["step_s"] == 10
        assert set(inverter["pv_watts"]) == {None, 3000}
        assert len(site["time"]) == len(site["battery_soc_percent"]) == 361
        assert served.ask("/api/v1/history?hours=745").status == 422
        assert served.ask("/api/v1/history?inverter=nobody").status == 404


def test_a_disk_that_cannot_be_written_costs_the_curves_of_the_disk_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE_NAME).mkdir()
    wall = Wall()
    history = History(tmp_path, 31, wall)
    for _ in range(2):
        feed(history, wall, 20, 100.0)
        history.flush()
        wait_until(lambda: "cannot be written" in caplog.text, "the message")
    history.close()

    assert caplog.text.count("cannot be written") == 1


@pytest.mark.long
def test_a_disk_that_hangs_is_said_to_who_asks_and_the_rest_goes_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE_NAME)
    with web(web_config(tmp_path)) as served:
        assert served.ask("/api/v1/history").status == 503
        assert served.ask("/api/v1/site").status == 200


def test_a_disk_that_hangs_holds_up_nobody_and_what_waits_is_bounded(tmp_path: Path) -> None:
    wall = Wall()
    os.mkfifo(tmp_path / FILE_NAME)  # who opens it waits for ever
    history = History(tmp_path, 31, wall)
    history.flush()
    result = cycle_result(inverters=())
    for _ in range(MOST_WAITING + 100):
        history.take(result)
        wall.now_s += 60.0

    assert history.waiting == MOST_WAITING
