"""What an inverter may be making that does not answer is taken from the others' generation limit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import InverterMemory, LimitMemory
from orchestrator.decide.plant.away import GIVEN_UP_AFTER_S, left_for_the_others
from orchestrator.samples import InverterSample, Nameplate, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from tests.support.plants.virtual_site import site_config

LIMIT_WATTS = 6000.0
RATING_WATTS = 5000.0
REVERT_S = 60


def config(when_lost: str = "stay") -> SiteConfig:
    sections = site_config().model_dump()
    sections["control"] |= {"failsafe": {"when_lost": when_lost}, "revert_s": REVERT_S, "enabled": True}
    return SiteConfig.model_validate(sections)


CONFIG = config()


def sample(name: str, ac_watts: float, limit_watts: float | None = None, pv_watts: float = 0.0) -> InverterSample:
    nameplate = Nameplate(ac_max_watts=RATING_WATTS)
    return InverterSample(name, 0.0, ac_watts, pv_watts, nameplate=nameplate, ac_limit_watts=limit_watts)


def left_watts(
    away: InverterSample, commanded_watts: float | None = None, *, now_s: float = 1.0, site: SiteConfig = CONFIG
) -> float | None:
    """What the generation limit leaves for "east", while "west" was commanded this limit and is away."""
    memories = {"west": InverterMemory(away=True, limit=LimitMemory(commanded_watts))}
    snapshot = SiteSnapshot(now_s, None, (sample("east", 1000.0),), ("west",), (away,))
    wanted = SetpointFields(generation_limit_watts=LIMIT_WATTS)
    return left_for_the_others(site, memories, snapshot, wanted, now_s).generation_limit_watts


def test_all_that_its_ac_limit_allows_is_taken_from_the_others() -> None:
    assert left_watts(sample("west", 1500.0, limit_watts=2000.0), 2000.0) == pytest.approx(4000)


@pytest.mark.parametrize(("reported_watts", "commanded_watts"), [(2000.0, 1000.0), (1000.0, 2000.0)])
def test_whether_the_last_command_has_come_to_it_is_not_known(reported_watts: float, commanded_watts: float) -> None:
    assert left_watts(sample("west", 900.0, reported_watts), commanded_watts) == pytest.approx(4000)


def test_one_without_a_limit_may_make_all_it_is_rated_for() -> None:
    assert left_watts(sample("west", 1500.0)) == pytest.approx(1000)


def test_one_that_makes_more_than_its_limit_counts_as_it_was_seen() -> None:
    assert left_watts(sample("west", 3000.0, limit_watts=1000.0), 1000.0) == pytest.approx(3000)


def test_a_limit_that_reverts_is_over_when_its_timer_is() -> None:
    away = sample("west", 1500.0, limit_watts=2000.0)

    assert left_watts(away, 2000.0, now_s=REVERT_S + 1, site=config("stay")) == pytest.approx(4000)
    assert left_watts(away, 2000.0, now_s=REVERT_S, site=config("release")) == pytest.approx(4000)
    assert left_watts(away, 2000.0, now_s=REVERT_S + 1, site=config("release")) == pytest.approx(1000)


def test_one_that_slept_when_it_was_heard_last_takes_nothing() -> None:
    assert left_watts(sample("west", 20.0, limit_watts=2000.0), 2000.0) == LIMIT_WATTS


def test_a_hybrid_that_charged_all_its_pv_may_make_ac_power_once_its_battery_is_full() -> None:
    assert left_watts(sample("west", 0.0, limit_watts=2000.0, pv_watts=3000.0), 2000.0) == pytest.approx(4000)


def test_one_that_is_given_up_counts_as_it_was_seen_last_and_never_stops_the_others() -> None:
    given_up_s = GIVEN_UP_AFTER_S + 1

    assert left_watts(sample("west", 1500.0), now_s=given_up_s) == pytest.approx(4500)
    assert left_watts(sample("west", 5000.0), now_s=given_up_s) == pytest.approx(3000)


@pytest.mark.parametrize("fields", [{"export_limit_watts": 0.0}, {}])
def test_other_limits_are_left_alone(fields: dict[str, Any]) -> None:
    wanted = SetpointFields(**fields)
    snapshot = SiteSnapshot(1.0, None, (), ("west",), (sample("west", 1000.0),))

    assert left_for_the_others(CONFIG, {}, snapshot, wanted, 1.0) == wanted


def test_one_that_was_never_heard_is_not_counted() -> None:
    wanted = SetpointFields(generation_limit_watts=LIMIT_WATTS)

    assert left_for_the_others(CONFIG, {}, SiteSnapshot(1.0, None, (), ("west",)), wanted, 1.0) == wanted


@given(
    made_watts=st.floats(0, RATING_WATTS),
    limit_watts=st.none() | st.floats(0, RATING_WATTS),
    now_s=st.floats(0, 2 * GIVEN_UP_AFTER_S),
)
def test_what_is_left_is_never_negative_and_never_more_than_the_limit(
    made_watts: float, limit_watts: float | None, now_s: float
) -> None:
    left = left_watts(sample("west", made_watts, limit_watts), limit_watts, now_s=now_s)

    assert left is not None
    assert 0.0 <= left <= LIMIT_WATTS
    if made_watts > 0.01 * RATING_WATTS and now_s <= GIVEN_UP_AFTER_S:
        assert left <= max(LIMIT_WATTS - made_watts, 0.0)


def test_what_one_draws_that_does_not_answer_is_taken_from_the_load_limit_until_its_own_timer_ends_it() -> None:
    snapshot = SiteSnapshot(1.0, None, (), ("west",), (sample("west", -1500.0),))
    wanted = SetpointFields(load_limit_watts=2000.0)

    assert left_for_the_others(CONFIG, {}, snapshot, wanted, 1.0) == SetpointFields(load_limit_watts=500.0)
    assert left_for_the_others(CONFIG, {}, snapshot, wanted, REVERT_S + 1.0) == wanted
