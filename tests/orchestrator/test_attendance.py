from __future__ import annotations

from orchestrator.attendance import Attendance, freeze
from orchestrator.config import ControlConfig
from orchestrator.samples import InverterSample, MeterSample

WINDOW_S = 5.0


def heard(at_s: float = 100.0, cycle: int = 1, in_time: bool = True) -> Attendance:
    return Attendance().reported(cycle, InverterSample("east", at_s), None, in_time=in_time)


def test_one_that_never_spoke_is_away_and_waited_for() -> None:
    assert Attendance().is_away(100.0, WINDOW_S)
    assert Attendance().is_awaited(1, 100.0, WINDOW_S)


def test_a_sample_counts_for_the_sample_window() -> None:
    assert not heard(100.0).is_away(105.0, WINDOW_S)
    assert heard(100.0).is_away(105.1, WINDOW_S)


def test_a_fault_makes_away_at_once_and_keeps_it_from_being_waited_for() -> None:
    failed = heard().reported(2, None, "timeout", in_time=True)

    assert failed.is_away(100.0, WINDOW_S)
    assert not failed.is_awaited(3, 100.0, WINDOW_S)
    assert not failed.reported(3, InverterSample("east", 101.0), None, in_time=True).is_away(101.0, WINDOW_S)


def test_one_that_reported_for_this_cycle_is_waited_for_no_more() -> None:
    assert not heard(cycle=4).is_awaited(4, 100.0, WINDOW_S)
    assert heard(cycle=4).is_awaited(5, 100.0, WINDOW_S)


def test_two_whole_cycles_without_a_word_make_away() -> None:
    silent = heard().began_cycle().began_cycle()
    assert not silent.is_away(100.0, WINDOW_S)

    assert silent.began_cycle().is_away(100.0, WINDOW_S)


def test_a_word_between_two_cycles_ends_the_silence() -> None:
    silent = heard().began_cycle().began_cycle()
    spoken = silent.reported(1, InverterSample("east", 100.0), None, in_time=False).began_cycle()

    assert spoken.silent_cycles == 0


def test_one_that_was_late_is_not_waited_for_until_it_is_in_time() -> None:
    late = heard(cycle=1).waited_in_vain(2)
    assert not late.is_awaited(3, 100.0, WINDOW_S)

    still_late = late.reported(2, InverterSample("east", 100.0), None, in_time=False)
    assert not still_late.is_awaited(3, 100.0, WINDOW_S)

    assert still_late.reported(3, InverterSample("east", 100.0), None, in_time=True).is_awaited(4, 100.0, WINDOW_S)


def test_waiting_for_others_makes_nobody_late_who_has_reported() -> None:
    assert not heard(cycle=2).waited_in_vain(2).late


def test_a_snapshot_holds_the_fresh_samples_and_names_those_that_are_away() -> None:
    attendance = {"east": heard(100.0), "west": heard(90.0), "roof": Attendance()}

    snapshot = freeze(attendance, MeterSample(99.0, 10.0), ControlConfig(), 101.0)

    assert [sample.name for sample in snapshot.inverters] == ["east"]
    assert snapshot.away == ("west", "roof")
    assert snapshot.meter == MeterSample(99.0, 10.0)


def test_a_meter_sample_older_than_three_periods_is_left_out() -> None:
    assert freeze({}, MeterSample(100.0, 10.0), ControlConfig(), 103.1).meter is None
