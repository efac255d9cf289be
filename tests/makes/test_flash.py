"""Settings that a make keeps in flash: written seldom, and never more often than its day allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from actors.files.state_store import StateStore
from actors.messages import Acknowledged
from orchestrator.devices.flash_budget import LAST_WRITES, FlashUse, budgets
from orchestrator.devices.makes.library import load_profile
from tests.makes.test_makes import MAKES
from tests.support.plants.made_site import MadeSite, made

PER_DAY = load_profile("huawei-luna").flash_writes_per_day or 0
LIMIT_PER_DAY, _ = budgets(PER_DAY, limit=True, battery=True)
REGISTER = "fixed_derating"
FORCED_AT = 47100


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MadeSite]:
    with made("huawei-luna", MAKES["huawei-luna"].plant, tmp_path) as site:
        yield site


def shown_watts(site: MadeSite) -> float | None:
    site.clock.advance(1.0)
    return site.sample().ac_limit_watts


def limit(site: MadeSite, watts: float) -> Acknowledged:
    """A second later; the make is not read more often."""
    site.clock.advance(1.0)
    return site.command(ac_limit_watts=watts)


def flutter(site: MadeSite, times: int) -> None:
    """A limit that goes up and down by a third of the rating."""
    for _ in range(times):
        limit(site, 4000.0)
        limit(site, 2000.0)


def test_small_changes_of_a_limit_in_flash_are_not_written(site: MadeSite) -> None:
    for watts in (3290.0, 3200.0, 3100.0, 3010.0):
        limit(site, watts)

    assert site.observer.registers.count(REGISTER) == 1
    assert shown_watts(site) == 3000.0


def test_the_budget_of_a_day_is_kept_and_less_power_goes_first(site: MadeSite) -> None:
    flutter(site, PER_DAY)

    assert site.observer.registers.count(REGISTER) <= PER_DAY
    assert shown_watts(site) == pytest.approx(2000.0, abs=300.0)
    limit(site, 600.0)
    assert shown_watts(site) == 600.0


def test_a_day_of_clouds_leaves_enough_for_a_whole_way_down(site: MadeSite) -> None:
    steps = [6000.0 - 300.0 * step for step in range(21)]
    for _ in range(23):
        for watts in steps:
            limit(site, watts)
        assert shown_watts(site) == 0.0
        site.clock.advance(3600.0)

    assert PER_DAY / 2 < site.observer.registers.count(REGISTER) <= PER_DAY
    assert "flash_budget_spent" not in site.events


def spend(site: MadeSite, use: FlashUse) -> None:
    """So much of today's budget was used before a restart."""
    today = (site.clock.wall().date() - date(1970, 1, 1)).days
    StateStore(site.state_dir).save_flash_use("east", replace(use, day=today))
    site.start()


def test_beyond_a_budget_that_was_spent_before_a_restart_only_what_must_fall_is_written_and_each_is_said(
    site: MadeSite,
) -> None:
    limit(site, 3000.0)
    spend(site, FlashUse(writes=PER_DAY))
    answers = [limit(site, watts) for watts in (900.0, 3000.0, 600.0)]

    assert [answer.fault for answer in answers] == [None, None, None]
    assert shown_watts(site) == 600.0
    assert site.observer.registers.count(REGISTER) == 3
    assert site.events.count("flash_overspent") == 2


def test_the_last_writes_of_a_day_leave_a_limit_that_is_safe_whatever_the_load_does(site: MadeSite) -> None:
    site.command(ac_limit_watts=4500.0, ac_limit_after_watts=1200.0)
    spend(site, FlashUse(writes=LIMIT_PER_DAY - LAST_WRITES))
    for watts in (4200.0, 3900.0, 4500.0, 3000.0):
        site.clock.advance(1.0)
        site.command(ac_limit_watts=watts, ac_limit_after_watts=1200.0)

    assert shown_watts(site) == 1200.0
    assert site.observer.registers.count(REGISTER) == 2
    assert "flash_overspent" not in site.events


@pytest.mark.long
def test_a_cloudy_day_of_permissions_leaves_the_budget_of_the_ac_limit_alone(site: MadeSite) -> None:
    limit(site, 3000.0)
    for _ in range(24 * 20):
        for grid in (True, False):
            site.clock.advance(60.0)
            site.battery(1000.0, 1000.0, grid=grid)
        site.clock.advance(60.0)
    written = site.observer.registers.count("charge_from_grid")
    limit(site, 900.0)

    assert written <= 2 * (PER_DAY - LIMIT_PER_DAY), "two days at most"
    assert shown_watts(site) == 900.0
    assert "flash_overspent" not in site.events


def test_a_permission_that_the_budget_holds_back_holds_nothing_else_back(site: MadeSite) -> None:
    site.battery(None, None, grid=True)
    spend(site, FlashUse(writes=PER_DAY, battery_writes=PER_DAY - LIMIT_PER_DAY))
    site.battery(1000.0, 1000.0, grid=False)
    assert site.call(lambda plant: plant.devices["east"].read(FORCED_AT, 1)) == (1,)
    site.wait(2)

    site.battery(None, None, grid=False)

    assert site.call(lambda plant: plant.devices["east"].read(FORCED_AT, 1)) == (0,)
    assert site.events.count("flash_budget_spent") == 1


def test_the_next_day_has_a_budget_of_its_own(site: MadeSite) -> None:
    flutter(site, PER_DAY)
    before = site.observer.registers.count(REGISTER)
    site.clock.advance(86400.0)
    limit(site, 900.0)

    assert site.observer.registers.count(REGISTER) == before + 1


def test_a_limit_that_wears_flash_is_known_to_the_site(site: MadeSite) -> None:
    assert site.sample().ac_limit_wears
