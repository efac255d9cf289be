"""Settings that a make keeps in flash: written seldom, and never more often than its day allows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from actors.files.state_store import StateStore
from actors.messages import Acknowledged
from orchestrator.devices.flash_budget import FlashUse
from orchestrator.devices.makes.library import load_profile
from tests.makes.test_makes import MAKES
from tests.support.plants.made_site import MadeSite, made

PER_DAY = load_profile("huawei-luna").flash_writes_per_day or 0
REGISTER = "fixed_derating"


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


def test_a_budget_that_was_spent_before_a_restart_is_spent_and_said_once(site: MadeSite) -> None:
    limit(site, 3000.0)
    today = FlashUse((site.clock.wall().date() - date(1970, 1, 1)).days, PER_DAY)
    StateStore(site.state_dir).save_flash_use("east", today)
    site.start()
    answers = [limit(site, 900.0), limit(site, 600.0)]

    assert [answer.fault for answer in answers] == ["refused", "refused"]
    assert site.observer.registers.count(REGISTER) == 1
    assert site.events.count("flash_budget_spent") == 1


def test_the_next_day_has_a_budget_of_its_own(site: MadeSite) -> None:
    flutter(site, PER_DAY)
    before = site.observer.registers.count(REGISTER)
    site.clock.advance(86400.0)
    limit(site, 900.0)

    assert site.observer.registers.count(REGISTER) == before + 1


def test_a_limit_that_wears_flash_is_known_to_the_site(site: MadeSite) -> None:
    assert site.sample().ac_limit_wears
