from __future__ import annotations

from itertools import pairwise

from msgspec.structs import replace

from orchestrator.decide.records import CycleResult
from orchestrator.reason import because
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, merge
from orchestrator.telemetry.log.events import Entry, entries
from tests.support.records.cycles import cycle_result, inverter_sample


def with_limit(watts: float | None, source: str = "fixed", *, is_moving: bool = False) -> CycleResult:
    envelope = merge((Setpoint(source, SetpointFields(export_limit_watts=watts), is_moving=is_moving),))
    return replace(cycle_result(), envelope=envelope)


def test_a_cycle_as_the_one_before_is_worth_no_line() -> None:
    assert list(entries(cycle_result(), cycle_result(site_watts=300.0))) == []


def test_the_first_cycle_says_what_holds_and_who_is_missing() -> None:
    found = list(entries(None, cycle_result(away=("roof",))))

    assert [(entry.event, entry.inverter) for entry in found] == [
        ("mode_normal", None),
        ("inverter_away", "roof"),
        ("setpoint", None),
    ]
    assert found[-1].message == "export_limit_watts: 5000 (fixed)"


def test_an_inverter_that_goes_and_one_that_comes_back() -> None:
    both = (inverter_sample("east"), inverter_sample("west"))

    assert list(entries(cycle_result(inverters=both), cycle_result(away=("west",)))) == [
        Entry.of("warning", "inverter_away", because("went_away", trouble=None), "west")
    ]
    assert list(entries(cycle_result(away=("west",)), cycle_result(inverters=both))) == [
        Entry.of("info", "inverter_back", because("came_back"), "west")
    ]


def test_an_inverter_that_was_taken_out_is_not_back() -> None:
    assert list(entries(cycle_result(away=("west",)), cycle_result())) == []


def test_a_limit_that_changes_names_its_source() -> None:
    assert [entry.message for entry in entries(with_limit(5000.0), with_limit(0.0, "mqtt"))] == [
        "export_limit_watts: 0 (mqtt)"
    ]
    assert [entry.message for entry in entries(with_limit(5000.0), with_limit(5000.0, "mqtt"))] == [
        "export_limit_watts: 5000 (mqtt)"
    ]
    assert [entry.message for entry in entries(with_limit(5000.0), with_limit(None))] == [
        "export_limit_watts: nobody asks any more, before 5000"
    ]


def test_a_ramp_is_told_at_its_begin_and_at_its_end() -> None:
    way = [with_limit(watts, is_moving=0.0 < watts < 400.0) for watts in (0.0, 100.0, 200.0, 300.0, 400.0)]
    told = [entry.message for former, now in pairwise(way) for entry in entries(former, now)]

    assert told == ["export_limit_watts: 100 (fixed)", "export_limit_watts: 400 (fixed)"]


def test_failsafe_is_a_warning_and_its_end_is_not() -> None:
    failsafe = replace(cycle_result(), mode="failsafe", reasons=(because("failsafe", why=because("meter_silent")),))
    (into,) = entries(cycle_result(), failsafe)
    (out,) = entries(failsafe, cycle_result())

    assert (into.level, into.event) == ("warning", "mode_failsafe")
    assert "meter silent" in into.message
    assert (out.level, out.event) == ("info", "mode_normal")
