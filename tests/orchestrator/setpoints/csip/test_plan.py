"""Limits along their ramps, and the setpoint that follows."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.setpoints.csip.book import Book, Wanted
from orchestrator.setpoints.csip.plan import AHEAD_S, Moment, Planner, fields_of
from orchestrator.setpoints.csip.ramps import USUAL_GRADIENT, track
from orchestrator.setpoints.csip.resources import STORAGE_TARGET, Default
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from tests.orchestrator.setpoints.csip.test_book import EXPORT, event

RATED = 10_000.0
NEVER = 1e12


def planned(book: Book, planner: Planner, server_s: float, lost_at_s: float = NEVER) -> Setpoint:
    setpoint = planner.setpoint(book, Moment(server_s, server_s, server_s), lost_at_s)
    assert setpoint is not None
    return setpoint


def export(setpoint: Setpoint, at_s: float) -> float | None:
    asked = setpoint.at(at_s, at_s)
    assert asked is not None
    return asked.fields.export_limit_watts


def planner_from(watts: float | None = 0.0) -> Planner:
    return Planner("utility", RATED, SetpointFields(export_limit_watts=watts))


def book_with(*events: object, gradient: float | None = None, default: float | None = 0.0) -> Book:
    book = Book("site")
    asks: dict[str, float | bool] = {} if default is None else {EXPORT: default}
    book.take(events, [Default("/derp/1", 1, asks, gradient)], 0)  # type: ignore[arg-type]
    return book


def test_a_limit_rises_and_falls_with_the_gradient_of_the_server() -> None:
    setpoint = planned(
        book_with(event(start_s=10, duration_s=100, asks={EXPORT: 5000.0}), gradient=0.01), planner_from(), 0
    )

    assert [export(setpoint, at) for at in (9, 10, 20, 60, 109)] == [0.0, 0.0, 1000.0, 5000.0, 5000.0]
    assert export(setpoint, 120) == pytest.approx(3900.0)
    assert export(setpoint, 160) == 0.0


def test_an_event_may_say_itself_how_long_its_ramp_takes() -> None:
    setpoint = planned(
        book_with(event(start_s=10, asks={EXPORT: 5000.0}, ramp_s=20.0), gradient=0.5), planner_from(), 0
    )

    assert [export(setpoint, at) for at in (10, 20, 30)] == [0.0, 2500.0, 5000.0]


def test_without_a_gradient_a_limit_falls_at_once_and_rises_slowly() -> None:
    setpoint = planned(book_with(event(start_s=10, duration_s=50, asks={EXPORT: 5000.0})), planner_from(), 0)

    assert export(setpoint, 20) == pytest.approx(10 * USUAL_GRADIENT * RATED, rel=0.1)
    assert export(setpoint, 60) == 0.0


def test_what_is_above_the_rated_power_needs_no_time() -> None:
    setpoint = planned(
        book_with(event(start_s=0, duration_s=10, asks={EXPORT: 90_000.0}), gradient=0.1), planner_from(RATED), 0
    )

    assert [export(setpoint, at) for at in (0, 9, 10, 15)] == [90_000.0, 90_000.0, 9000.0, 4000.0]


def test_a_plan_that_is_made_anew_goes_on_where_the_former_is() -> None:
    book, planner = book_with(event(start_s=0, asks={EXPORT: 5000.0}), gradient=0.01), planner_from()
    first, later = planned(book, planner, 0), planned(book, planner, 20.5)

    assert export(later, 20.5) == pytest.approx(export(first, 20.5), abs=100)
    assert export(later, 40) == pytest.approx(export(first, 40), abs=100)


def test_events_end_when_the_server_is_lost_and_the_default_holds() -> None:
    book = book_with(event(start_s=0, duration_s=200, asks={EXPORT: 5000.0}))
    setpoint = planned(book, planner_from(), 100, lost_at_s=150)

    assert [setpoint.at(at, at).is_default for at in (149, 151)] == [False, True]  # type: ignore[union-attr]
    assert export(setpoint, 151) == 0.0


def test_without_a_default_control_nothing_is_planned_once_the_server_is_lost() -> None:
    book = book_with(default=None)

    assert planner_from().setpoint(book, Moment(0, 0, 100), 50) is None


def test_steps_are_by_the_wall_clock_whatever_the_server_shows() -> None:
    book = book_with(event(start_s=1010, asks={EXPORT: 5000.0}, ramp_s=0.0))
    setpoint = planner_from().setpoint(book, Moment(5.0, 70.0, 1000.0), NEVER)
    assert setpoint is not None

    asked = [setpoint.at(5.0 + at, 70.0 + at) for at in (9.0, 10.0)]
    assert [each.fields.export_limit_watts for each in asked if each] == [0.0, 5000.0]
    assert setpoint.at(5.0 + AHEAD_S, 70.0 + AHEAD_S) is None


@pytest.mark.parametrize(
    ("watts", "expected"),
    [
        (3000.0, {"battery_discharge_max_watts": 3000.0, "battery_charge_max_watts": 0.0}),
        (-3000.0, {"battery_charge_max_watts": 3000.0, "battery_grid_charging_enabled": True}),
        (0.0, {"battery_charge_max_watts": 0.0, "battery_discharge_max_watts": 0.0}),
    ],
)
def test_a_storage_target_is_limits_of_the_batteries_and_a_wish(watts: float, expected: dict[str, object]) -> None:
    asked = fields_of({}, {STORAGE_TARGET: Wanted(watts)}).asked()

    assert expected.items() <= asked.items()


WATTS = st.none() | st.floats(0, 30_000)


@given(WATTS, WATTS, st.none() | st.floats(0.0001, 1.0), st.none() | st.floats(0, 600))
def test_a_ramp_leads_from_one_limit_to_the_next_and_never_beyond(
    former: float | None, target: float | None, gradient: float | None, ramp_s: float | None
) -> None:
    wanted = None if target is None else Wanted(target, ramp_s)
    way = track(former, wanted, 0.0, rated_watts=RATED, gradient=gradient)
    if way is None:
        assert former is target is None
        return
    moments = [0.0, *way.breaks_s(0.0, 1e9), way.end_s]
    levels = [RATED if (level := way.at(at)) is None else level for at in moments]

    assert way.at(way.end_s) == target
    ends = [each if each is not None else max(RATED, former or 0.0, target or 0.0) for each in (former, target)]
    assert all(min(*ends, RATED) <= level <= max(ends) for level in levels)
    inside = levels[:-1]
    assert inside == sorted(inside) or inside == sorted(inside, reverse=True)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 250), st.integers(1, 100), st.floats(0, 12_000)), max_size=5),
    st.floats(0.001, 0.1),
)
def test_no_step_of_a_plan_rises_faster_than_the_gradient(
    events: list[tuple[int, int, float]], gradient: float
) -> None:
    controls = [
        event(str(n), start, lasts, created_s=n, asks={EXPORT: w}) for n, (start, lasts, w) in enumerate(events)
    ]
    setpoint = planned(book_with(*controls, gradient=gradient), planner_from(), 0)
    steps = [each for each in setpoint.plan if each.fields.export_limit_watts is not None]

    assert all(former.end_wall_s == later.begin_wall_s for former, later in pairwise(setpoint.plan))
    for former, later in pairwise(steps):
        rise = min(RATED, later.fields.export_limit_watts or 0.0) - (former.fields.export_limit_watts or 0.0)
        assert rise <= gradient * RATED * (later.end_wall_s - former.begin_wall_s) + 1e-6


def test_the_stairs_of_a_ramp_are_known_as_such_and_the_level_after_it_is_not() -> None:
    setpoint = planned(book_with(event(start_s=10, asks={EXPORT: 5000.0}, ramp_s=20.0)), planner_from(), 0)

    assert [setpoint.at(at, at).is_moving for at in (9, 10, 29, 30)] == [False, True, True, False]  # type: ignore[union-attr]
