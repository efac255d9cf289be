"""The response time of an inverter, learned from steps of its command."""

from __future__ import annotations

from collections.abc import Callable
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.decide.memory import Response
from orchestrator.decide.plant.response import Look, watch_response
from tests.support.plants.example_site import DARK, EXAMPLE, plant

RATING_WATTS = 5000.0


def told(
    targets: list[float | None],
    measure: Callable[[float], float],
    period_s: float = 1.0,
    before: Response | None = None,
) -> Response:
    """A response after these targets, one each period; `measure` is the power as a function of time."""
    response = before or Response()
    for index, target in enumerate(targets):
        now_s = index * period_s
        response = watch_response(response, Look(measure(now_s), now_s, target, now_s, RATING_WATTS))
    return response


def settling(to_watts: float, after_s: float, time_constant_s: float) -> Callable[[float], float]:
    """From 0 towards `to_watts` from `after_s` on, as e^(-t/T)."""
    return lambda t: to_watts * (1 - exp(-max(t - after_s, 0.0) / time_constant_s))


@pytest.mark.parametrize("sign", [1, -1])
@given(time_constant_s=st.floats(0.5, 10), dead_s=st.floats(0, 3))
def test_a_step_gives_the_dead_time_plus_the_time_constant(sign: int, time_constant_s: float, dead_s: float) -> None:
    targets: list[float | None] = [0.0, *[sign * 3000.0] * 30]
    response = told(targets, settling(sign * 3000.0, 1.0 + dead_s, time_constant_s))

    assert response.learned_s == pytest.approx(dead_s + time_constant_s, abs=0.4)


def test_nothing_is_known_before_the_first_step() -> None:
    assert told([3000.0] * 5, lambda _: 3000.0).learned_s is None


def test_a_small_change_teaches_nothing() -> None:
    assert told([0.0, *[400.0] * 5], settling(400, 1, 1)).learned_s is None


def test_a_target_that_moves_on_a_little_is_the_same_step() -> None:
    response = told([0.0, 3000.0, 2900.0, 3100.0, 3000.0, 3000.0], settling(3000, 1, 2))

    assert response.learned_s == pytest.approx(2, abs=0.3)


def test_a_target_that_moves_on_a_lot_begins_anew() -> None:
    response = told([0.0, 3000.0, 4500.0, 4500.0, 4500.0, 4500.0], lambda t: 4500.0 if t >= 4 else 0.0)

    assert response.times_s == pytest.approx((1.63,))


def test_a_device_that_does_not_follow_teaches_nothing_and_is_given_up() -> None:
    response = told([0.0, *[3000.0] * 40], lambda _: 0.0)

    assert response.times_s == ()
    assert response.step is None


def test_a_release_in_between_ends_the_step() -> None:
    response = told([0.0, 3000.0, None, 3000.0, 3000.0], settling(3000, 1, 2))

    assert (response.times_s, response.step) == ((), None)


def test_an_old_sample_is_no_progress() -> None:
    before = told([0.0, 3000.0], lambda _: 0.0)
    again = watch_response(before, Look(3000.0, 1.0, 3000.0, 1.3, RATING_WATTS))

    assert again == before


def test_the_median_of_the_last_five_counts() -> None:
    assert Response(times_s=(1.0, 9.0, 1.2, 1.1, 1.3)).learned_s == 1.2
    full = Response(times_s=(9.0, 9.0, 9.0, 9.0, 1.0))
    assert told([0.0, 3000.0, 3000.0], lambda t: 3000.0 * (t > 1), before=full).times_s[:4] == (9.0, 9.0, 9.0, 1.0)


@pytest.mark.parametrize("lag_s", [0.8, 3.0])
def test_the_loop_learns_the_lag_of_batteries_and_of_pv(lag_s: float) -> None:
    loop = plant({n: i.model_copy(update={"lag_s": lag_s}) for n, i in EXAMPLE.items()}, pv_watts=DARK)
    loop.run(20)
    for load in (6000.0, 2000.0, 5000.0):
        loop.site.set_load(load)
        loop.run(20)
    loop.site.set_pv_available("roof", 8000.0)
    loop.ask(battery_charge_max_watts=0.0)
    loop.run(20)
    loop.ask(battery_charge_max_watts=0.0, export_limit_watts=0.0)
    loop.run(20)

    learned = {name: numbers.response_s for name, numbers in loop.history[-1].result.live.inverters.items()}
    assert learned == pytest.approx({"east": lag_s, "west": lag_s, "roof": lag_s}, abs=0.3)


def test_shadow_mode_learns_nothing() -> None:
    loop = plant(pv_watts=DARK, enabled=False)
    loop.run(10)
    loop.site.set_load(6000.0)
    loop.run(10)

    assert loop.history[-1].result.state.responses == {}


def test_what_was_learned_outlives_an_absence() -> None:
    loop = plant(pv_watts=DARK)
    loop.run(10)
    loop.site.set_load(6000.0)
    loop.run(10)
    loop.away = {"west"}
    loop.run(5)
    loop.away = set()
    back = loop.run(1)[0].result.live.inverters["west"]

    assert replace(back, headroom_up_watts=0, headroom_down_watts=0).response_s == pytest.approx(0.8, abs=0.3)
