from __future__ import annotations

import pytest

from orchestrator.config.sections import BatteryConfig, InverterConfig
from orchestrator.loop.presence import Presence, expected, freeze, patience_s
from orchestrator.samples import BatterySample, InverterSample, MeterSample
from tests.support.plants.virtual_site import site_config

CONFIG = site_config()
WINDOW_S = 5.0


NOBODY = Presence(patience_s=2.0)


def report(before: Presence, at_s: float, cycle: int, fault: str | None = None, in_time: bool = True) -> Presence:
    sample = InverterSample("east", at_s) if fault is None else None
    return before.reported(cycle, sample, fault, now_s=at_s, in_time=in_time)


def heard(at_s: float = 100.0, cycle: int = 1) -> Presence:
    return report(NOBODY, at_s, cycle)


def test_one_that_never_spoke_is_away_and_waited_for() -> None:
    assert NOBODY.is_away(100.0, WINDOW_S)
    assert NOBODY.is_awaited(1, 100.0, WINDOW_S)


def test_a_sample_counts_for_the_sample_window() -> None:
    repeated = NOBODY.reported(1, InverterSample("east", 100.0), None, now_s=104.0, in_time=True)

    assert not repeated.is_away(105.0, WINDOW_S)
    assert repeated.is_away(105.1, WINDOW_S)


def test_one_that_says_nothing_for_too_long_is_away() -> None:
    assert not heard(100.0).is_away(102.0, WINDOW_S)
    assert heard(100.0).is_away(102.1, WINDOW_S)


@pytest.mark.parametrize(("interval_s", "timeout_s", "patience"), [(1.0, 1.0, 2.0), (1.0, 5.0, 5.0), (5.0, 1.0, 10.0)])
def test_patience_is_two_intervals_and_at_least_one_reply(interval_s: float, timeout_s: float, patience: float) -> None:
    assert patience_s(InverterConfig(name="east", host="h", timeout_s=timeout_s), interval_s) == patience


def test_one_that_must_not_be_read_often_is_away_when_its_next_reading_is_overdue() -> None:
    seldom = expected(InverterConfig(name="east", host="h", timeout_s=3.0, interval_s=5.0), 1.0)
    at_last = report(seldom, 100.0, 1).reported(7, InverterSample("east", 100.0), None, now_s=106.0, in_time=True)

    assert not at_last.is_away(108.0, WINDOW_S)
    assert at_last.is_away(108.1, WINDOW_S)


def test_a_fault_makes_away_at_once_and_keeps_it_from_being_waited_for() -> None:
    failed = report(heard(), 100.0, 2, fault="timeout")

    assert failed.is_away(100.0, WINDOW_S)
    assert not failed.is_awaited(3, 100.0, WINDOW_S)
    assert not report(failed, 101.0, 3).is_away(101.0, WINDOW_S)


def test_one_that_reported_for_this_cycle_is_waited_for_no_more() -> None:
    assert not heard(cycle=4).is_awaited(4, 100.0, WINDOW_S)
    assert heard(cycle=4).is_awaited(5, 100.0, WINDOW_S)


def test_one_that_was_late_is_not_waited_for_until_it_is_in_time() -> None:
    late = heard(cycle=1).waited_in_vain(2)
    assert not late.is_awaited(3, 100.0, WINDOW_S)

    still_late = report(late, 100.0, 2, in_time=False)
    assert not still_late.is_awaited(3, 100.0, WINDOW_S)

    assert report(still_late, 100.0, 3).is_awaited(4, 100.0, WINDOW_S)


def test_waiting_for_others_makes_nobody_late_who_has_reported() -> None:
    assert not heard(cycle=2).waited_in_vain(2).late


def test_a_snapshot_holds_the_fresh_samples_and_names_those_that_are_away() -> None:
    west = NOBODY.reported(1, InverterSample("west", 90.0), None, now_s=90.0, in_time=True)
    presences = {"east": heard(100.0), "west": west, "roof": NOBODY}

    snapshot = freeze(presences, MeterSample(99.0, 10.0), CONFIG, 101.0)

    assert [sample.name for sample in snapshot.inverters] == ["east"]
    assert snapshot.away == ("west", "roof")
    assert [sample.name for sample in snapshot.last_heard] == ["west"]
    assert snapshot.meter == MeterSample(99.0, 10.0)


def test_a_snapshot_holds_what_site_yaml_says_of_the_inverters() -> None:
    stated = InverterConfig(name="east", host="h", ac_max_watts=3000.0, battery=BatteryConfig(charge_max_watts=900.0))
    config = CONFIG.model_copy(update={"inverters": (stated, *CONFIG.inverters[1:])})
    said = InverterSample("east", 100.0, battery=BatterySample(charge_max_watts=5000.0))
    answers = NOBODY.reported(1, said, None, now_s=100.0, in_time=True)

    for now_s in (100.0, 200.0):
        snapshot = freeze({"east": answers}, None, config, now_s)
        (sample,) = snapshot.inverters or snapshot.last_heard
        assert sample.nameplate.ac_max_watts == 3000.0
        assert sample.battery == BatterySample(charge_max_watts=900.0)
    assert answers.sample == said


def test_a_meter_that_is_silent_is_left_out() -> None:
    assert freeze({}, MeterSample(100.0, 10.0), CONFIG, 102.9).meter == MeterSample(100.0, 10.0)
    assert freeze({}, MeterSample(100.0, 10.0), CONFIG, 103.1).meter is None


def spoken_at(*at_s: float) -> Presence:
    presence = NOBODY
    for cycle, each_s in enumerate(at_s, 1):
        presence = report(presence, each_s, cycle)
    return presence


def test_one_whose_readings_take_longer_is_not_away_between_them() -> None:
    slow = spoken_at(100.0, 102.7, 105.5)

    assert not slow.is_away(108.3, WINDOW_S)
    assert slow.is_away(105.5 + 1.5 * 2.7 + 0.1, WINDOW_S)
    assert spoken_at(100.0, 104.0, 108.0).is_away(113.1, WINDOW_S), "never longer than the sample window"


def test_one_with_long_and_short_readings_may_have_a_long_one_next() -> None:
    assert not spoken_at(100.0, 101.8, 105.4, 107.2, 110.8, 112.6).is_away(116.2, WINDOW_S)


def test_one_that_was_away_once_is_not_taken_for_a_slow_one() -> None:
    assert spoken_at(100.0, 101.0, 104.9, 105.9).is_away(108.0, WINDOW_S)
    assert report(report(heard(), 103.0, 2, fault="timeout"), 106.0, 3).is_away(108.1, WINDOW_S)
