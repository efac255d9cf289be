"""What the loop sees in an inverter: whether a limit holds it back, and what is in force in it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from orchestrator import control
from orchestrator.config.simulation import InverterSimulation
from orchestrator.decide.memory import ControlState, InverterMemory, LimitMemory, Output
from orchestrator.decide.plant.units import Unit
from orchestrator.samples import InverterSample, OperatingState, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import DARK, SUNNY, battery, plant
from tests.support.records.cycles import site_config

RATING_WATTS = 8000.0


def unit(*, ac_watts: float, limit_watts: float, state: OperatingState | None = None) -> Unit:
    """A PV inverter of 8 kW."""
    sample = InverterSample("east", 0.0, ac_watts=ac_watts, state=state)
    config = site_config().inverter("east")
    return Unit("east", config, sample, InverterMemory(), RATING_WATTS, limit_watts, None)


@pytest.mark.parametrize(
    ("ac_watts", "limit_watts", "state", "throttled"),
    [
        (3950.0, 4000.0, OperatingState.MPPT, True),
        (3900.0, 4000.0, OperatingState.MPPT, False),
        (3900.0, 4000.0, None, False),
        (3000.0, 4000.0, OperatingState.THROTTLED, True),
        (7950.0, 8000.0, OperatingState.THROTTLED, False),
    ],
    ids=["at its limit", "below it", "silent about it", "on its way to the limit", "at its rating"],
)
def test_an_inverter_is_throttled_at_its_limit_or_where_it_says_so(
    ac_watts: float, limit_watts: float, state: OperatingState | None, throttled: bool
) -> None:
    assert unit(ac_watts=ac_watts, limit_watts=limit_watts, state=state).throttled is throttled


def test_inverters_that_still_follow_a_rising_limit_are_given_nothing_beside_the_room() -> None:
    loop = plant()
    for name in ("east", "west"):
        loop.site.set_soc(name, 100.0)
    loop.ask(export_limit_watts=0.0)
    loop.run(20)
    loop.site.set_load(3000.0)
    moments = loop.run(30)

    assert max(-moment.site_watts for moment in moments[5:]) < 50


def shadow_commands(loop: ClosedLoop, seconds: int, envelope: OperatingEnvelope) -> list[tuple[float, float]]:
    """Battery power and AC limit that would be commanded in sum, each second, while nothing is."""
    state, sums = ControlState(), []
    for now_s in map(float, range(1, seconds + 1)):
        loop.site.advance(1.0)
        samples = tuple(loop.site.inverter_sample(name, now_s) for name in loop.site.inverters)
        snapshot = SiteSnapshot(now_s, loop.site.meter_sample(now_s), samples)
        result = control.step(loop.config, state, snapshot, envelope, now_s)
        state = result.state
        assert result.not_following == ()
        targets = sum(command.battery.watts for command in result.commands if command.battery)
        sums.append((targets, sum(command.ac_limit_watts or 0.0 for command in result.commands)))
    return sums


def test_in_shadow_mode_batteries_that_do_not_move_are_asked_for_everything_all_the_time() -> None:
    sums = shadow_commands(plant(pv_watts=DARK, load_watts=3000.0, enabled=False), 40, OperatingEnvelope())

    assert [watts for watts, _ in sums[5:]] == pytest.approx([-3000.0] * 35)


def test_in_shadow_mode_limits_that_nobody_obeys_stay_what_they_would_be() -> None:
    envelope = merge([Setpoint("fixed", SetpointFields(export_limit_watts=0.0, battery_charge_max_watts=0.0))])
    sums = shadow_commands(plant(pv_watts=SUNNY, enabled=False), 40, envelope)

    assert [limit for _, limit in sums[10:]] == pytest.approx([1000.0] * 30, abs=400.0)


@pytest.mark.parametrize(
    ("ac_watts", "looked_s_ago", "limit_changed_s_ago", "was_throttled", "throttled"),
    [
        (2900.0, 1.0, 1.0, True, True),
        (2200.0, 1.0, 1.0, True, False),
        (2000.0, 1.0, 0.5, True, True),
        (2000.0, 0.0, 1.0, True, True),
        (2900.0, 1.0, 1.0, False, False),
    ],
    ids=["follows", "has no more", "dead time", "not looked at anew", "was free"],
)
def test_an_inverter_whose_output_follows_its_rising_limit_is_held_back_still(
    ac_watts: float, looked_s_ago: float, limit_changed_s_ago: float, was_throttled: bool, throttled: bool
) -> None:
    at_s = 100.0
    sample = InverterSample("east", at_s, ac_watts=ac_watts, state=OperatingState.MPPT)
    memory = InverterMemory(
        limit=LimitMemory(4000.0, changed_at_s=at_s - limit_changed_s_ago),
        output=Output(2000.0, at_s - looked_s_ago, was_throttled),
    )

    seen = Unit("east", site_config().inverter("east"), sample, memory, RATING_WATTS, 4000.0, None)

    assert seen.throttled is throttled


def test_discharge_has_the_room_that_pv_leaves_at_the_ac_side() -> None:
    inverter = InverterSimulation(
        pv_peak_watts=6000.0, ac_rating_watts=5000.0, efficiency_percent=90.0, battery=battery(10000.0, 5000.0)
    )
    loop = plant({"east": inverter}, pv_watts={"east": 5000.0}, load_watts=9000.0)
    loop.run(20)

    assert loop.site.inverters["east"].state.ac_watts == pytest.approx(5000.0, abs=50.0)


def test_one_that_comes_back_gets_its_share_of_ac_power_without_a_jump() -> None:
    loop = plant(pv_watts={"east": 0.0, "west": 0.0, "roof": 8000.0}, load_watts=500.0)
    for name in ("east", "west"):
        loop.site.set_soc(name, 5.0)
    loop.ask(export_limit_watts=0.0, battery_soc_max_percent=5.0)
    loop.run(20)
    loop.away = {"roof"}
    loop.run(10)
    loop.away = set()
    loop.site.set_load(9000.0)
    made = [moment.powers[2].ac_watts for moment in loop.run(15)]

    assert max(after - before for before, after in pairwise(made)) <= 0.1 * 8000.0
    assert made[-1] > 6000.0
