"""A step is small, possible, and clear enough to judge by."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.commissioning.steps import NotTried, Step, plan_ac_step, plan_battery_step
from orchestrator.samples import BatterySample, InverterSample, Nameplate

REVERT_S = 30.0


def inverter(ac_watts: float | None = 3000.0, battery: BatterySample | None = None, **values: Any) -> InverterSample:
    usual: dict[str, Any] = {"nameplate": Nameplate(ac_max_watts=5000.0), "battery_controllable": battery is not None}
    return InverterSample("east", 0.0, ac_watts=ac_watts, battery=battery, **(usual | values))


def battery(watts: float | None = 0.0, soc_percent: float | None = 50.0, **values: Any) -> BatterySample:
    return BatterySample(watts=watts, soc_percent=soc_percent, **({"charge_max_watts": 5000.0} | values))


def target(plan: Step | NotTried) -> float:
    assert isinstance(plan, Step)
    return plan.watts


def test_an_ac_step_is_a_tenth_of_the_rating_below_what_is_made() -> None:
    plan = plan_ac_step(inverter(3000.0), REVERT_S)

    assert target(plan) == 2500.0
    assert isinstance(plan, Step)
    assert (plan.command.ac_limit_watts, plan.command.valid_for_s, plan.command.battery) == (2500.0, REVERT_S, None)
    assert plan.command.ac_limit_reverts


@given(st.floats(1000, 5000), st.sampled_from([5000.0, 6000.0, 8250.0]))
def test_an_ac_limit_is_one_that_makes_with_coarse_steps_can_take(ac_watts: float, rating: float) -> None:
    """Else they round it down, and the answer is another one than was asked for."""
    plan = plan_ac_step(inverter(ac_watts, nameplate=Nameplate(ac_max_watts=rating)), REVERT_S)

    if isinstance(plan, Step):
        steps = 20.0 * plan.watts / rating
        assert steps == pytest.approx(round(steps), abs=1e-6)
        assert 0.1 * rating - 1 <= ac_watts - plan.watts <= 0.15 * rating + 1


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (inverter(900.0), "it makes 900 W, and a step needs 1000 W"),
        (inverter(None), "unknown"),
        (inverter(nameplate=Nameplate()), "unknown"),
        (inverter(ac_limit_controllable=False), "takes no AC limit"),
    ],
)
def test_without_power_rating_or_limit_no_ac_step_is_made(sample: InverterSample, reason: str) -> None:
    plan = plan_ac_step(sample, REVERT_S)

    assert isinstance(plan, NotTried)
    assert reason in plan.reason


@pytest.mark.parametrize(
    ("present", "pv_watts", "soc_percent", "watts"),
    [
        (3000.0, 3000.0, 50.0, 2500.0),  # charging less is possible whatever the sun does
        (600.0, 600.0, 50.0, 300.0),  # never near zero, where a wrong scale could not be seen
        (-2000.0, 0.0, 50.0, -1500.0),
        (0.0, 3000.0, 50.0, 500.0),  # PV that goes to AC can be charged
        (0.0, 3000.0, 99.0, -500.0),
        (0.0, 0.0, 50.0, -500.0),
        (0.0, 0.0, None, -500.0),
    ],
)
def test_a_battery_step_needs_no_power_from_the_grid(
    present: float, pv_watts: float, soc_percent: float | None, watts: float
) -> None:
    sample = inverter(battery=battery(present, soc_percent), pv_watts=pv_watts)

    assert target(plan_battery_step(sample, REVERT_S)) == watts


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (inverter(), "no battery that can be commanded"),
        (inverter(battery=battery(), battery_controllable=False), "no battery that can be commanded"),
        (inverter(battery=battery(None)), "unknown"),
        (inverter(battery=battery(charge_max_watts=None)), "unknown"),
        (inverter(battery=battery(soc_percent=5.0)), "nearly empty"),
    ],
)
def test_a_battery_that_cannot_be_moved_is_left_alone(sample: InverterSample, reason: str) -> None:
    plan = plan_battery_step(sample, REVERT_S)

    assert isinstance(plan, NotTried)
    assert reason in plan.reason


@given(st.floats(-5000, 5000), st.floats(0, 8000), st.none() | st.floats(0, 100), st.floats(500, 20000))
def test_every_battery_step_can_be_judged(
    present: float, pv_watts: float, soc_percent: float | None, charge_max_watts: float
) -> None:
    seen = battery(present, soc_percent, charge_max_watts=charge_max_watts)
    plan = plan_battery_step(inverter(battery=seen, pv_watts=pv_watts), REVERT_S)

    if isinstance(plan, Step):
        step_watts = max(0.1 * charge_max_watts, 200.0)
        assert abs(plan.watts) >= 0.5 * step_watts - 1
        assert abs(plan.watts - present) >= 0.5 * step_watts - 1
        assert abs(plan.watts - present) <= 2 * step_watts + 1
        assert plan.watts <= max(present, pv_watts) + 1
        assert plan.command.battery is not None
        assert plan.command.battery.grid_charging is None
