"""How one target becomes watts per battery where one of them does not do what it is asked for."""

from __future__ import annotations

from math import fsum

import pytest

from orchestrator.config.sections import ControlConfig
from orchestrator.decide.battery.sharing import Sharing, share_target
from orchestrator.decide.following import STUBBORN_AFTER_STEPS, Following
from orchestrator.decide.memory import USUAL_DRAWS_PART, InverterMemory
from orchestrator.decide.plant.units import Battery, Plant, Unit
from orchestrator.setpoints.fields import SetpointFields
from tests.support.records.cycles import inverter_sample, site_config

RATING_WATTS = 5000.0


def unit(name: str, watts: float = 0.0, *, over_steps: int = 0, ours: bool = True, ac_watts: float = 0.0) -> Unit:
    """A battery inverter that charges (+) or discharges, and has given too much for so many steps."""
    battery = Battery(
        name=name,
        watts=watts,
        soc_percent=50.0,
        soc_min_percent=0.0,
        soc_max_percent=100.0,
        soc_target_percent=100.0,
        capacity_wh=10000.0,
        charge_max_watts=RATING_WATTS,
        discharge_max_watts=RATING_WATTS,
        idle_between_s=0.0,
        grid_charging_allowed=True,
    )
    return Unit(
        name=name,
        config=site_config().inverters[0],
        sample=inverter_sample(name, ac_watts=ac_watts, pv_watts=0.0),
        memory=InverterMemory(following=Following(over_steps=over_steps)),
        rating_watts=RATING_WATTS,
        limit_watts=RATING_WATTS,
        battery=battery if ours else None,
    )


def shares(units: list[Unit], target_watts: float, **wanted: float) -> dict[str, float]:
    sharing = Sharing(ControlConfig(), SetpointFields(**wanted), 0.0, 100.0)  # type: ignore[arg-type]
    return {
        name: share.watts for name, share in share_target(Plant(tuple(units)), target_watts, sharing).shares.items()
    }


def test_the_others_give_less_by_what_a_battery_gives_beyond_its_share() -> None:
    stubborn = unit("stubborn", -3000.0, over_steps=STUBBORN_AFTER_STEPS)

    assert shares([stubborn, unit("b"), unit("c")], -4500.0) == pytest.approx({"stubborn": -1500, "b": -750, "c": -750})


@pytest.mark.parametrize("target_watts", [-4500.0, 4500.0])
def test_a_battery_that_gave_too_much_and_is_asked_for_more_now_takes_part_as_any(target_watts: float) -> None:
    """It was at 3 kW when asked for 1 kW, and now that it is at 200 W all are asked for 1.5 kW."""
    was_stubborn = unit("was", target_watts / 20, over_steps=STUBBORN_AFTER_STEPS)

    assert fsum(shares([was_stubborn, unit("b"), unit("c")], target_watts).values()) == pytest.approx(target_watts)


def test_the_load_limit_counts_what_batteries_draw_that_are_not_ours() -> None:
    units = [unit("foreign", ours=False, ac_watts=-1200.0), unit("a"), unit("b")]

    stored_watts = 800.0 / USUAL_DRAWS_PART
    assert shares(units, 4000.0, load_limit_watts=2000.0) == pytest.approx(dict.fromkeys("ab", stored_watts / 2))


def test_the_load_limit_counts_what_a_battery_draws_that_does_not_obey() -> None:
    stubborn = unit("stubborn", 3000.0, over_steps=STUBBORN_AFTER_STEPS, ac_watts=-3000.0)

    stored_watts = shares([stubborn, unit("b")], 4000.0, load_limit_watts=3500.0)["b"]
    assert stored_watts == pytest.approx(500.0 / USUAL_DRAWS_PART)


def test_a_load_limit_that_leaves_enough_takes_nothing_away() -> None:
    assert shares([unit("a"), unit("b")], 4000.0, load_limit_watts=5000.0) == pytest.approx({"a": 2000, "b": 2000})


def test_where_a_battery_gives_more_than_all_are_asked_for_the_others_rest_and_do_not_charge() -> None:
    stubborn = unit("stubborn", -3000.0, over_steps=STUBBORN_AFTER_STEPS)

    assert shares([stubborn, unit("b"), unit("c")], -1200.0) == pytest.approx({"stubborn": -400, "b": 0, "c": 0})
