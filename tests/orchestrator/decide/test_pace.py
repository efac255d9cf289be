"""Ramps in watts per second, for one inverter and for the site: what rises, and how fast; what falls, falls at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.simulation import InverterSimulation
from orchestrator.decide.memory import Pending
from orchestrator.decide.pace import counted_s, rise_watts, settle
from orchestrator.explain.words import say_all
from tests.support.plants.closed_loop import ClosedLoop, Moment
from tests.support.plants.example_site import EXAMPLE, battery, plant

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

FULL_CHARGE_WATTS = 9000.0
SMALL_PART = 0.01


def with_ramp(loop: ClosedLoop, watts_per_s: float, *names: str) -> ClosedLoop:
    inverters = tuple(
        each.model_copy(update={"ramp_watts_per_s": watts_per_s}) if each.name in names else each
        for each in loop.config.inverters
    )
    loop.config = loop.config.model_copy(update={"inverters": inverters})
    return loop


def battery_target(moment: Moment, name: str) -> float:
    command = moment.result.command(name)
    assert command is not None
    assert command.battery is not None
    return command.battery.watts


def charging(moment: Moment) -> float:
    return sum(max(c.battery.watts, 0.0) for c in moment.commands if c.battery)


def ac_limit(moment: Moment, name: str) -> float:
    command = moment.result.command(name)
    assert command is not None
    return 8000.0 if command.ac_limit_watts is None else command.ac_limit_watts


def steps(moments: list[Moment], watts: Callable[[Moment], float]) -> list[float]:
    return [after - before for before, after in pairwise(map(watts, moments))]


@given(
    rate=st.floats(1.0, 5000.0),
    small=st.floats(1.0, 200.0),
    dt=st.sampled_from([0.1, 0.25, 1.0, 2.0]),
    steps_taken=st.integers(20, 300),
)
def test_a_ramp_that_is_needed_all_the_time_climbs_as_fast_as_it_should(
    rate: float, small: float, dt: float, steps_taken: int
) -> None:
    reached = climb(rate, small, [dt] * steps_taken)

    assert reached == pytest.approx(rate * dt * steps_taken, abs=small + rate * dt)


@given(
    rate=st.floats(1.0, 5000.0),
    small=st.floats(1.0, 200.0),
    dts=st.lists(st.sampled_from([0.05, 0.1, 0.25, 1.0, 5.0]), min_size=1, max_size=200),
)
def test_a_ramp_is_never_faster_than_it_should_be(rate: float, small: float, dts: list[float]) -> None:
    assert climb(rate, small, dts) <= rate * sum(dts) * (1 + 1e-9)


def climb(rate: float, small: float, dts: list[float]) -> float:
    """How far a command has come that is to rise all the time, after so many steps."""
    now, reached, changed_at = 0.0, 0.0, 0.0
    for dt in dts:
        now += dt
        rise = rise_watts(rate, changed_at_s=changed_at, now_s=now, dt_s=dt, small_watts=small)
        assert rise == 0 or rise >= 0.999 * small, "no write for less than what is small"
        if rise:
            reached, changed_at = reached + rise, now
    return reached


@given(rate=st.floats(1.0, 5000.0), dt=st.floats(0.1, 10.0), rest=st.floats(0.0, 1e6))
def test_a_ramp_saves_nothing_up_while_it_is_not_needed(rate: float, dt: float, rest: float) -> None:
    step = rate * dt
    rise = rise_watts(rate, changed_at_s=0.0, now_s=rest, dt_s=dt, small_watts=50.0)

    assert rise <= (step if step >= 50.0 else 50.0 + step)


@pytest.mark.parametrize(
    ("passed_s", "interval_s", "counts_s"),
    [(1.0, 1.0, 1.0), (60.0, 1.0, 2.0), (5.0, 5.0, 5.0), (60.0, 5.0, 10.0), (-1.0, 1.0, 0.0)],
)
def test_a_long_pause_counts_as_two_intervals_at_most(passed_s: float, interval_s: float, counts_s: float) -> None:
    assert counted_s(passed_s, interval_s) == counts_s


def test_a_ramp_is_the_same_with_a_longer_interval() -> None:
    loop = with_ramp(plant(interval_s=5.0), 100.0, "east")
    loop.ask(battery_charge_max_watts=0.0)
    loop.run(20)
    loop.ask()
    moments = loop.run(60)

    assert battery_target(moments[4], "east") == pytest.approx(5 * 5.0 * 100.0)
    assert battery_target(moments[-1], "east") == pytest.approx(5000.0)


def test_the_charging_of_an_inverter_rises_no_faster_than_its_ramp_and_reaches_its_full() -> None:
    loop = with_ramp(plant(), 500.0, "east")
    loop.ask(battery_charge_max_watts=0.0)
    loop.run(10)
    loop.ask()
    moments = loop.run(30)

    rises = steps(moments, lambda m: battery_target(m, "east"))
    assert max(rises) == pytest.approx(500.0)
    assert battery_target(moments[8], "east") == pytest.approx(9 * 500.0)
    assert battery_target(moments[3], "west") > 3500.0, "the other has no ramp"
    assert battery_target(moments[-1], "east") == pytest.approx(5000.0)


def test_the_ramp_of_the_site_holds_the_charging_of_all_batteries_together() -> None:
    loop = plant(ramp_watts_per_s=600.0)
    loop.ask(battery_charge_max_watts=0.0)
    loop.run(10)
    loop.ask()
    moments = loop.run(40)

    assert max(steps(moments, charging)) == pytest.approx(600.0)
    assert charging(moments[9]) == pytest.approx(10 * 600.0)
    assert charging(moments[-1]) == pytest.approx(FULL_CHARGE_WATTS)
    reasons = say_all(moments[5].result.reasons)
    assert any("surplus, batteries first, no faster than its ramp (site.yaml)" in reason for reason in reasons), reasons


def test_charging_that_falls_falls_at_once_and_discharging_has_no_ramp() -> None:
    loop = with_ramp(plant(ramp_watts_per_s=100.0), 100.0, "east", "west")
    loop.run(150)
    before = charging(loop.history[-1])
    loop.ask(battery_charge_max_watts=1000.0)
    after = charging(loop.run(1)[0])
    for name in EXAMPLE:
        loop.site.set_pv_available(name, 0.0)
    loop.site.set_load(5000.0)
    moments = loop.run(5)

    assert before == pytest.approx(FULL_CHARGE_WATTS)
    assert after == pytest.approx(1000.0)
    assert charging(moments[-1]) == 0.0
    assert sum(battery_target(moments[-1], name) for name in ("east", "west")) < -4500.0


def test_a_battery_that_discharged_begins_to_charge_on_its_ramp() -> None:
    loop = with_ramp(plant(pv_watts={"east": 0.0, "west": 0.0, "roof": 0.0}, load_watts=4000.0), 200.0, "east")
    loop.run(20)
    loop.site.set_pv_available("east", 6000.0)
    loop.site.set_load(0.0)
    moments = loop.run(12)

    assert battery_target(loop.history[19], "east") < -2000.0
    targets = [battery_target(m, "east") for m in moments]
    assert max(after - max(before, 0.0) for before, after in pairwise(targets)) <= 200.0 + 1e-6
    assert targets[-1] > 1500.0


def test_a_slow_ramp_of_one_battery_among_ten_climbs_all_the_way() -> None:
    inverters = {
        f"i{n}": InverterSimulation(pv_peak_watts=6000.0, ac_rating_watts=5000.0, battery=battery(10000.0, 5000.0))
        for n in range(10)
    }
    loop = with_ramp(plant(inverters, pv_watts=dict.fromkeys(inverters, 6000.0)), 20.0, "i3")
    loop.ask(battery_charge_max_watts=0.0)
    loop.run(10)
    loop.ask()
    moments = loop.run(100)

    assert battery_target(moments[-1], "i3") == pytest.approx(100 * 20.0, abs=150.0)
    assert {battery_target(m, "i0") for m in moments} == {5000.0}, "the others need not make room for it"
    writes = [rise for rise in steps(moments, lambda m: battery_target(m, "i3")) if rise]
    assert min(writes) >= SMALL_PART * 5000.0 - 1e-6, "no write for less than 1 %"


def test_the_ac_limit_of_an_inverter_rises_on_a_slow_ramp_and_does_not_stick() -> None:
    loop = with_ramp(plant(battery_power_flow=False), 10.0, "roof")
    loop.ask(export_limit_watts=0.0)
    loop.run(30)
    low = ac_limit(loop.history[-1], "roof")
    loop.ask(export_limit_watts=100000.0)
    moments = loop.run(120)

    assert ac_limit(moments[-1], "roof") - low == pytest.approx(120 * 10.0, abs=SMALL_PART * 8000.0 + 20.0)


def test_the_ramp_of_the_site_is_shared_by_the_ac_limits_that_are_to_rise() -> None:
    loop = plant(battery_power_flow=False, ramp_watts_per_s=900.0)
    loop.ask(export_limit_watts=0.0)
    loop.run(30)
    loop.ask()
    moments = loop.run(60)
    ratings = {"east": 5000.0, "west": 4000.0, "roof": 8000.0}

    def limits(moment: Moment) -> float:
        return sum(min(ac_limit(moment, name), rating) for name, rating in ratings.items())

    assert max(steps(moments, limits)) == pytest.approx(900.0, rel=1e-6)
    assert limits(moments[-1]) == sum(ratings.values())
    reasons = say_all(moments[3].result.command("roof").reasons)
    assert any("rises at most" in reason for reason in reasons), reasons


def test_a_limit_that_falls_is_obeyed_at_once_whatever_the_ramps() -> None:
    loop = with_ramp(plant(ramp_watts_per_s=50.0), 50.0, "east", "west", "roof")
    loop.ask(export_limit_watts=8000.0)
    loop.run(60)
    loop.ask(export_limit_watts=0.0)
    moments = loop.run(30)

    assert max(-m.site_watts for m in moments[5:]) < 0.02 * 17000.0


def test_a_limit_that_ac_limits_alone_do_not_keep_goes_before_the_ramp_of_charging() -> None:
    roof_alone = {"east": 0.0, "west": 0.0, "roof": 7000.0}
    loop = with_ramp(plant(pv_watts=roof_alone, ramp_watts_per_s=10.0), 10.0, "east", "west")
    read_only = tuple(
        each.model_copy(update={"control": False}) if each.name == "roof" else each for each in loop.config.inverters
    )
    loop.config = loop.config.model_copy(update={"inverters": read_only})
    loop.ask(battery_charge_max_watts=0.0)
    loop.run(20)
    loop.ask(export_limit_watts=0.0)
    moments = loop.run(30)

    assert max(-m.site_watts for m in moments[5:]) < 0.02 * 17000.0


def run(held: float, wishes: list[float], small: float = 100.0) -> list[float]:
    pending: Pending | None = None
    values = []
    for second, wanted in enumerate(wishes):
        held, pending = settle(held, wanted, small_watts=small, pending=pending, now_s=float(second))
        values.append(held)
    return values


def test_a_large_change_is_taken_at_once() -> None:
    assert run(1000, [1100, 900]) == [1100, 900]


def test_a_small_change_is_taken_after_five_seconds_as_the_mean_of_what_was_wanted() -> None:
    assert run(1000, [1060, 1040, 1050, 1060, 1040, 1050]) == [1000, 1000, 1000, 1000, 1000, 1050]


def test_a_change_of_mind_starts_the_wait_anew() -> None:
    assert run(1000, [1060, 1060, 1060, 1060, 940, 1060, 1060]) == [1000] * 7


def test_a_tiny_change_is_never_taken() -> None:
    assert run(1000, [1030] * 20) == [1000] * 20


@given(st.floats(-1e5, 1e5), st.lists(st.floats(-1e5, 1e5), min_size=1, max_size=30))
def test_what_is_held_is_never_further_than_small_from_what_is_wanted(held: float, wishes: list[float]) -> None:
    for value, wanted in zip(run(held, wishes), wishes, strict=True):
        assert abs(value - wanted) <= 200
